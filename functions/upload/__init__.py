"""The upload function: the HTTP door."""
