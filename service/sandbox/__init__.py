"""A stand-in for Stripe that behaves as Stripe does with payment sources, and tells of it."""
