"""Images: their headers and nothing more."""
