"""What may be noted about an asset: a slot's new value and the columns it brings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from schemas.lifecycle import Check, ConsentState, Description, Promotion


@dataclass(frozen=True)
class Arrived:
    """The bytes are in quarantine: which version, seen when."""

    slot: ClassVar[str] = "arrived"
    value: ClassVar[bool] = True
    at: datetime
    source_version: str | None

    def columns(self) -> dict[str, Any]:
        """Return the columns that this fact fills."""
        return {"arrived_at": self.at, "source_version": self.source_version}


@dataclass(frozen=True)
class ConsentGranted:
    """Consent was given after the bytes had arrived without it."""

    slot: ClassVar[str] = "consent"
    value: ClassVar[ConsentState] = ConsentState.GIVEN

    def columns(self) -> dict[str, Any]:
        """Return the columns that this fact fills."""
        return {"consent": self.value}


@dataclass(frozen=True)
class Checked:
    """A required check (a virus scanner, say) came to a result."""

    name: str
    result: Check


@dataclass(frozen=True)
class Promoted:
    """A copy stands in the clean bucket.

    Attributes:
        path: key in the clean bucket.
        sha256: of the clean bytes, hexadecimal; source_sha256: of what arrived.
        findings: kinds of what was removed, never values.
    """

    slot: ClassVar[str] = "promotion"
    verdict: Literal["clean", "passed"]
    path: str
    media_type: str
    size_bytes: int
    sha256: str
    source_sha256: str
    sanitizer_version: str
    exif_stripped: bool = False
    findings: tuple[str, ...] = ()

    @property
    def value(self) -> Promotion:
        """The verdict as the slot's value."""
        return Promotion(self.verdict)

    def columns(self) -> dict[str, Any]:
        """Return the columns that this fact fills."""
        return {
            "promotion": self.value,
            "path": self.path,
            "media_type": self.media_type,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "source_sha256": self.source_sha256,
            "sanitizer_version": self.sanitizer_version,
            "exif_stripped": self.exif_stripped,
            "findings": list(self.findings),
            "reason": None,
        }


@dataclass(frozen=True)
class Refused:
    """Nothing was promoted, for a stable *reason*."""

    slot: ClassVar[str] = "promotion"
    value: ClassVar[Promotion] = Promotion.REFUSED
    reason: str
    media_type: str | None = None
    source_sha256: str | None = None
    sanitizer_version: str | None = None

    def columns(self) -> dict[str, Any]:
        """Return the columns that this fact fills."""
        found = {
            "media_type": self.media_type,
            "source_sha256": self.source_sha256,
            "sanitizer_version": self.sanitizer_version,
        }
        known = {name: value for name, value in found.items() if value is not None}
        return {"promotion": self.value, "reason": self.reason, **known}


@dataclass(frozen=True)
class Held(Refused):
    """The bytes stay in quarantine until somebody decides."""

    value: ClassVar[Promotion] = Promotion.HELD


@dataclass(frozen=True)
class Released:
    """Somebody decided that what was held may pass untouched."""

    slot: ClassVar[str] = "promotion"
    value: ClassVar[Promotion] = Promotion.RELEASED

    def columns(self) -> dict[str, Any]:
        """Return the columns that this fact fills."""
        return {"promotion": self.value}


@dataclass(frozen=True)
class Described:
    """The technical facts of the clean copy."""

    slot: ClassVar[str] = "description"
    value: ClassVar[Description] = Description.DONE
    details: Mapping[str, Any] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """Return the columns that this fact fills."""
        return {"description": self.value, "details": dict(self.details)}


@dataclass(frozen=True)
class DescriptionFailed:
    """The clean copy can't be described; *error* is a sentence for people."""

    slot: ClassVar[str] = "description"
    value: ClassVar[Description] = Description.FAILED
    error: str

    def columns(self) -> dict[str, Any]:
        """Return the columns that this fact fills."""
        return {"description": self.value, "details": {"error": self.error}}


@dataclass(frozen=True)
class _Moment:
    """A fact that is a time and nothing else."""

    slot: ClassVar[str]
    value: ClassVar[bool] = True
    at: datetime

    def columns(self) -> dict[str, Any]:
        """Return the columns that this fact fills."""
        return {f"{self.slot}_at": self.at}


@dataclass(frozen=True)
class Expired(_Moment):
    """The bytes never came, or not whole; *reason* says which."""

    slot: ClassVar[str] = "expired"
    reason: str = "upload_expired"

    def columns(self) -> dict[str, Any]:
        """Return the columns that this fact fills."""
        return {**super().columns(), "reason": self.reason}


@dataclass(frozen=True)
class Retired(_Moment):
    """The clean copy was removed at the end of its retention."""

    slot: ClassVar[str] = "retired"


@dataclass(frozen=True)
class Withdrawn(_Moment):
    """Consent was withdrawn."""

    slot: ClassVar[str] = "withdrawn"


@dataclass(frozen=True)
class Erased(_Moment):
    """No byte of the asset is left in any bucket."""

    slot: ClassVar[str] = "erased"


@dataclass(frozen=True)
class Faulted:
    """A step gave up on the asset; kept while that step is open (lifecycle.is_open).

    Attributes:
        slot: the slot that the step would have filled.
    """

    slot: Literal["promotion", "description"]
    cause: str


SlotFact = (
    Arrived
    | ConsentGranted
    | Promoted
    | Refused
    | Released
    | Described
    | DescriptionFailed
    | Expired
    | Retired
    | Withdrawn
    | Erased
)
Fact = SlotFact | Checked | Faulted
