"""How the metadata function refuses sound."""

from schemas.errors import Rejected


class NotSound(Rejected):
    """No frame of sound was found where the first bytes promised some."""

    def __init__(self, detail: str) -> None:
        super().__init__("unreadable_audio", detail)


def unreadable(detail: str) -> Rejected:
    """Return the refusal of sound that can't be described; *detail* is for people."""
    return Rejected("unreadable_audio", detail)


def cut_off(what: str = "sound") -> Rejected:
    """Return the refusal of sound, or *what* else, whose end is missing."""
    return unreadable(f"The {what} is cut off: the end of the file is missing.")


def damaged_image() -> Rejected:
    """Return the refusal of an image that can't be described."""
    detail = "The file is not an image that can be read: it is damaged or incomplete."
    return Rejected("unreadable_image", detail)
