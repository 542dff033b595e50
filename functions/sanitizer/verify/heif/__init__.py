"""The second reader of HEIF and AVIF."""
