"""Settings of the upload function."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from schemas.functions import FunctionSettings


class UploadSettings(FunctionSettings):
    """What is taken in, how long it may take, and how long links live."""

    model_config = SettingsConfigDict(
        env_prefix="UPLOAD_", extra="ignore", populate_by_name=True
    )

    projects: Literal["open", "closed"] = Field(
        "open",
        validation_alias="PRATIQUE_PROJECTS",
        description="closed: only projects that `pratique project add` made",
    )
    max_bytes: int = Field(
        5 << 30, gt=0, description="largest file; a project may set less"
    )
    presign_expires_s: int = Field(
        900, gt=0, le=604_800, description="how long an upload URL works"
    )
    content_url_expires_s: int = Field(
        300, gt=0, le=604_800, description="how long a link to a clean copy works"
    )
    transfer_s: float = Field(3_600, gt=0, description="longest time a body may take")
    stall_s: float = Field(30, gt=0, description="longest pause inside a body")
    max_transfers: int = Field(
        64, gt=0, description="files taken in at once; one more waits its turn"
    )
    linger_s: float = Field(
        2, ge=0, description="how long the rest of a refused body is read and dropped"
    )
    linger_bytes: int = Field(64 << 20, ge=0, description="how much of it")
    retry_after_s: int = Field(5, ge=0, description="Retry-After in an outage")
    tmp_dir: Path | None = Field(
        None,
        description="where a file that came before its fields waits; default: the "
        "system's",
    )

    @property
    def transfer(self) -> timedelta:
        """The longest time a body may take."""
        return timedelta(seconds=self.transfer_s)

    @property
    def presign_expires(self) -> timedelta:
        """How long an upload URL works."""
        return timedelta(seconds=self.presign_expires_s)
