"""Images: rebuilt format by format, so that nothing rides along."""
