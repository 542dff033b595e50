"""Settings of the sanitizer."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from functions.sanitizer.core import Limits
from schemas.functions import FunctionSettings


class SanitizerSettings(FunctionSettings):
    """What the sanitizer takes on, and where it works."""

    model_config = SettingsConfigDict(env_prefix="SANITIZER_", extra="ignore")

    max_bytes: int = Field(
        5 << 30, ge=1, description="larger objects are rejected unread"
    )
    max_pixels: int = Field(
        64_000_000, ge=1, description="width times height; larger images are rejected"
    )
    max_frames: int = Field(1_000, ge=1, description="longer animations are rejected")
    max_total_pixels: int = Field(
        512_000_000, ge=1, description="the same for all frames"
    )
    tmp_dir: Path | None = Field(
        None, description="where files lie while they are judged; default: the system's"
    )

    @property
    def limits(self) -> Limits:
        """The part that the pure core needs."""
        return Limits(
            max_pixels=self.max_pixels,
            max_frames=self.max_frames,
            max_total_pixels=self.max_total_pixels,
        )
