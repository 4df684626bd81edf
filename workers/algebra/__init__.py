"""The algebra of facts, pure: what events say, how it merges, and which answers follow."""
