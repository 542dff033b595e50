"""The facts of a film."""

from pydantic import BaseModel, Field, PositiveInt


class Film(BaseModel):
    """What a film is; None where nothing says it.

    Attributes:
        duration_seconds: how long it plays.
        width: in pixels, as displayed: turned and with square pixels.
        height: likewise.
    """

    duration_seconds: float | None = Field(None, gt=0, allow_inf_nan=False)
    width: PositiveInt | None = None
    height: PositiveInt | None = None
    has_audio: bool
