"""Everything that can go wrong, one class each: what it does to the rig, and how it ends."""
