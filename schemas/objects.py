"""Stored objects and the words for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object; with *version*, exactly those bytes for ever."""

    bucket: str
    key: str
    version: str | None = None

    def __str__(self) -> str:
        suffix = f"@{self.version}" if self.version else ""
        return f"{self.bucket}/{self.key}{suffix}"


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store says of an object; all of it was chosen by whoever wrote it.

    Attributes:
        metadata: the object's own `x-amz-meta-*`, keys in lower case without prefix.
        modified_at: can be forged by the writer; never trust it for age.
        marker: a delete marker, not an object: its bytes can't be opened.
    """

    ref: ObjectRef
    size_bytes: int
    media_type: str
    modified_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)
    marker: bool = False


class PresignedUpload(BaseModel):
    """How a client may store one object without a key of its own.

    `put`: send the bytes to *url* with *headers*. `post`: send a multipart form to
    *url* with *fields* first and the part `file` last.
    """

    method: Literal["put", "post"]
    url: str
    headers: dict[str, str] = {}
    fields: dict[str, str] = {}


class RangedReader(Protocol):
    """Bytes of one object that are fetched by range."""

    size_bytes: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from *offset*; fewer than *length* only at the end."""


class Buckets(BaseModel):
    """The names of the four buckets."""

    quarantine: str = "quarantine"
    clean: str = "clean"
    originals: str = "originals"
    ledger: str = "ledger"
