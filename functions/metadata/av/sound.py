"""The facts of a sound, and tinytag as their main source."""

import io
from typing import BinaryIO, Self, cast

from pydantic import BaseModel, Field, PositiveInt
from tinytag import TinyTag


class Sound(BaseModel):
    """What a sound is; None where nothing says it.

    Attributes:
        duration_seconds: how long it plays.
        samplerate: per second and channel.
        bitrate: kbit/s, nominal or on average.
    """

    duration_seconds: float | None = Field(None, gt=0, allow_inf_nan=False)
    samplerate: PositiveInt | None = None
    bitrate: float | None = Field(None, gt=0, allow_inf_nan=False)
    channels: PositiveInt | None = None

    @classmethod
    def by_tinytag(cls, file: io.RawIOBase | io.BytesIO, extension: str) -> Self:
        """Return what tinytag finds.

        Args:
            extension: tells tinytag the format, which it does not always see itself.

        Raises:
            Exception: whatever tinytag raises for bytes it can't follow.
        """
        tag = TinyTag.get(
            filename=f"sound.{extension}", file_obj=cast(BinaryIO, file), tags=False
        )
        return cls(
            duration_seconds=tag.duration or None,
            samplerate=tag.samplerate or None,
            bitrate=tag.bitrate or None,
            channels=tag.channels or None,
        )

    def averaged(self, size_bytes: int) -> Self:
        """Return it with the bitrate that *size_bytes* of sound make on average."""
        if not self.duration_seconds:
            return self
        bitrate = size_bytes * 8 / self.duration_seconds / 1000
        return self.model_copy(update={"bitrate": bitrate or None})
