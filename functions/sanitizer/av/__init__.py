"""Audio: tags, pictures and dates go, the coded sound stays as it is."""
