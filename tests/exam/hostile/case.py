"""A hostile file: its bytes, and how it may end."""

from dataclasses import dataclass

# What must be nowhere in a clean copy. No word that a library could write by itself.
MARKER = b"Kanarie-5d1e8c-x7Q"

ANY_SAFE = ("clean", "rejected", "held")
REFUSED = ("rejected", "held")


@dataclass(frozen=True)
class Case:
    """One hostile file.

    Attributes:
        verdicts: those that may come out; whatever is `clean` holds no MARKER.
    """

    name: str
    data: bytes
    verdicts: tuple[str, ...] = ANY_SAFE
    marked: bool = True
