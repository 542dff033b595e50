"""MPEG audio."""
