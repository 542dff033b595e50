"""The metadata function: reads the technical facts of clean copies."""
