"""FLAC."""
