"""Generated media for the demo and the tests: nothing is committed as bytes."""
