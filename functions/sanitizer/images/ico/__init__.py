"""Icons and cursors."""
