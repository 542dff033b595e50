"""What a project's policy tells the sanitizer; no database is needed to read it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Policy(BaseModel):
    """What a project lets pass, and how it is rebuilt."""

    model_config = ConfigDict(frozen=True)

    images: Literal["rebuild", "lossless"] = "rebuild"
    other: Literal["promote", "hold", "reject"] = "promote"
    # Somebody looked at this very file: what would be held passes untouched.
    released: bool = False
