"""TIFF: samples in a file that is written anew."""
