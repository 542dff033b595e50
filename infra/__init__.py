"""Floor 2, the wires: adapters, hosts and the command line."""
