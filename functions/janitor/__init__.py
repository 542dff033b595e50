"""The janitor: finds by looking what no event told."""
