"""The second reader of MP4 and its family."""
