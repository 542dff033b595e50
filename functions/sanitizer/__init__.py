"""The sanitizer: rebuilds what arrived, proves it clean and promotes it."""
