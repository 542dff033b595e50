"""HEIF and AVIF: coded pictures in a container that is written anew."""
