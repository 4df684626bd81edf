"""Trained dictionaries, each named by its id: none may ever be changed or taken away."""
