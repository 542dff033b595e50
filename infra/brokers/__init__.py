"""Brokers, opened by URL."""
