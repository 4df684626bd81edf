"""Ask Stripe: its lists and objects, read so that a read never seems newer than it is."""
