"""The event log: its entries, where each stands, who has claimed it, and how long it stays."""
