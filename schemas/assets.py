"""The record: projects, assets, consents and their history (SQLModel tables)."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Index, text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from schemas.lifecycle import FINAL, UNDECIDED, Check, Facts, Promotion, Status
from schemas.policies import Policy

Door = Literal["form", "presigned", "drop"]


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Refuse naive datetimes; store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime names no moment")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Return a datetime in UTC; PostgreSQL speaks the session's time zone."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _moment(**options: Any) -> Any:
    return Field(default=None, sa_type=UTCDateTime, **options)


class Project(SQLModel, table=True):
    """Whose files these are, and what is done with them."""

    __tablename__ = "projects"

    id: str = Field(primary_key=True, max_length=64)
    images: str = "rebuild"
    other: str = "promote"
    max_bytes: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime | None = _moment()

    @property
    def policy(self) -> Policy:
        """The part of the project that the sanitizer's core needs."""
        return Policy.model_validate({"images": self.images, "other": self.other})


class Asset(SQLModel, table=True):
    """One submission and every fact about it. A row changes by compare-and-set."""

    __tablename__ = "assets"
    __table_args__ = (
        Index("ix_assets_page", "project_id", "created_at", "id"),
        Index("ix_assets_age", "created_at", "id"),
        Index(
            "ix_assets_due",
            "next_announce_at",
            sqlite_where=text("next_announce_at IS NOT NULL"),
            postgresql_where=text("next_announce_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    project_id: str = Field(max_length=64)
    user_id: str = Field(default="anonymous", max_length=255)
    reference: str | None = Field(default=None, max_length=255, index=True)
    filename: str = Field(max_length=255)
    door: str = Field(max_length=16)
    type: str = Field(max_length=255)  # as declared: never trusted
    path: str = "pending"
    source_key: str
    source_version: str | None = None
    source_sha256: str | None = None
    media_type: str | None = None
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = None
    consent_hash: str | None = None
    exif_stripped: bool = False
    findings: list[str] = Field(default_factory=list, sa_type=JSON)
    details: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column("metadata", JSON, nullable=False)
    )
    reason: str | None = None
    fault: str | None = None
    sanitizer_version: str | None = None

    consent: str | None = None
    arrived_at: datetime | None = _moment()
    checks: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    promotion: str | None = None
    description: str | None = None
    expired_at: datetime | None = _moment()
    retired_at: datetime | None = _moment()
    withdrawn_at: datetime | None = _moment()
    erased_at: datetime | None = _moment()

    status: str = Field(default=Status.PENDING, index=True, max_length=32)
    revision: int = 0
    announced_revision: int = 0
    next_announce_at: datetime | None = _moment()
    expires_at: datetime | None = _moment()  # a pending upload's last moment
    created_at: datetime | None = _moment(nullable=False)
    updated_at: datetime | None = _moment(nullable=False)

    @property
    def facts(self) -> Facts:
        """The facts that the columns hold."""
        return Facts.of(
            consent=self.consent,
            arrived=self.arrived_at,
            checks={name: Check(result) for name, result in self.checks.items()},
            promotion=self.promotion,
            description=self.description,
            expired=self.expired_at,
            retired=self.retired_at,
            withdrawn=self.withdrawn_at,
            erased=self.erased_at,
        )

    def awaits(self, version: str | None) -> bool:
        """Whether a quarantined version has a part to play, now or once released.

        It has not when the asset is decided or withdrawn, or when another version is
        the asset's: a presigned URL was used again.
        """
        decided = self.promotion not in UNDECIDED
        newcomer = self.source_version not in (None, version)
        return not (decided or newcomer or self.withdrawn_at)

    @property
    def final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return Status(self.status) in FINAL


class AssetEvent(SQLModel, table=True):
    """One change of an asset: the timeline."""

    __tablename__ = "asset_events"

    asset_id: UUID = Field(primary_key=True, foreign_key="assets.id")
    revision: int = Field(primary_key=True)
    status: str = Field(max_length=32)
    at: datetime | None = _moment(nullable=False)


class Consent(SQLModel, table=True):
    """The receipt: who agreed to what, by which door, when. Never changed.

    Attributes:
        receipt: canonical JSON; its SHA-256 is the asset's consent_hash.
    """

    __tablename__ = "consents"

    asset_id: UUID = Field(primary_key=True, foreign_key="assets.id")
    receipt: str
    sha256: str = Field(max_length=64)
    given_at: datetime | None = _moment(nullable=False)


def receipt(asset: Asset, terms_version: str | None, at: datetime) -> Consent:
    """Return the consent receipt for *asset*, in canonical JSON (RFC 8785 subset).

    All values are strings or null, so sorted keys without blanks are canonical.

    Raises:
        ValueError: *at* is naive, or a text has a lone surrogate: no receipt of that.
    """
    if at.tzinfo is None:
        raise ValueError("a naive datetime names no moment")
    body = {
        "asset_id": str(asset.id),
        "door": asset.door,
        "given_at": at.astimezone(UTC).isoformat(),
        "project_id": asset.project_id,
        "terms_version": terms_version,
        "user_id": asset.user_id,
    }
    canonical = json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return Consent(asset_id=asset.id, receipt=canonical, sha256=digest, given_at=at)


def is_consent(value: object) -> bool:
    """Whether a form field or object metadata says yes: the word `true`, any case."""
    return isinstance(value, str) and value.lower() == "true"


class AssetRead(BaseModel):
    """An asset as clients read it."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    id: UUID
    project_id: str
    reference: str | None
    filename: str
    door: str
    type: str = Described(description="as the client declared it")
    status: Status
    final: bool
    promotion: Promotion | None = Described(
        description="`clean`: rebuilt and checked; `passed`: untouched, by policy"
    )
    reason: str | None
    fault: str | None
    media_type: str | None = Described(description="as found in the bytes")
    size_bytes: int | None = Described(description="of the clean copy")
    sha256: str | None = Described(description="of the clean copy")
    exif_stripped: bool
    findings: list[str] = Described(description="kinds of what was removed")
    metadata: dict[str, Any] = Described(validation_alias="details")
    path: str = Described(description="key in the clean bucket, or `pending`")
    sanitizer_version: str | None
    revision: int
    created_at: datetime
    updated_at: datetime


class Page(BaseModel):
    """One page of a listing, oldest first; *cursor* fetches the next one."""

    items: list[AssetRead]
    cursor: str | None = None
