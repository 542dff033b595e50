"""Floor 0, the words: what the functions and the platform say to each other."""

__version__ = "0.1.0"
