"""What the API is about, a noun a module: customers, their sources, tokens, events."""
