"""The independent readers: they share no code with the writers they judge."""
