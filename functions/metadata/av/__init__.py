"""Sound and films: how long, how large, how coded."""
