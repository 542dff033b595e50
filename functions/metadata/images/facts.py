"""The facts of an image, whatever its format."""

from typing import Self

from pydantic import BaseModel, Field, PositiveInt


class ImageFacts(BaseModel):
    """What an image is, as displayed.

    Attributes:
        frames: of an animation, or pages; None where nothing counts them.
        mode: what a pixel consists of, in Pillow's words.
        duration_seconds: how long an animation's frames are shown, once through.
    """

    width: PositiveInt
    height: PositiveInt
    frames: PositiveInt | None = 1
    mode: str
    duration_seconds: float | None = Field(None, gt=0, allow_inf_nan=False)

    def turned(self, orientation: int) -> Self:
        """Return it as it is meant to be seen; *orientation* as Exif numbers it."""
        if not 5 <= orientation <= 8:
            return self
        return self.model_copy(update={"width": self.height, "height": self.width})


MOST_FRAMES = 1 << 17  # an hour of film; nobody draws more, and counting takes time
