"""Object stores, opened by URL."""
