"""Floor 1, the deeds: one folder a function, found by its name."""
