"""The records port."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from schemas.assets import Asset, AssetEvent, Consent, Project
from schemas.facts import Fact
from schemas.lifecycle import Status

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class AssetQuery:
    """Which assets: all that match every given field, oldest first."""

    project_id: str | None = None
    status: Status | None = None
    reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True)
class Noted:
    """The asset after note; *changed* if the facts were news."""

    asset: Asset
    changed: bool


class AssetRecords(Protocol):
    """What is remembered of every asset. Rows change by compare-and-set only.

    A text with a NUL or a lone surrogate, or longer than its column, raises
    InvalidRecord and stores nothing; asked for, it is found nowhere.
    """

    def provision(self) -> None:
        """Bring the tables to the newest schema. Safe to run twice."""

    def provisioned(self) -> bool:
        """Return whether the tables are of the newest schema."""

    def admit(self, asset: Asset, consent: Consent | None) -> Asset:
        """Store a new asset, its receipt and its first event in one commit.

        If the id is known already, nothing changes and the stored asset is returned:
        of many at once, one is stored. The asset's consent_hash becomes the
        receipt's, its status follows from its facts, its revision becomes 1.
        """

    def get(self, asset_id: UUID) -> Asset:
        """Return an asset, detached from any session.

        Raises:
            AssetNotFound: no record has this id.
        """

    def note(self, asset_id: UUID, *facts: Fact) -> Noted:
        """Add facts to an asset in one commit, with an event if they were news.

        A fact that its slot already outranks (schemas/lifecycle.py) changes nothing,
        and neither do its columns; so noting twice is noting once. The status is
        worked out anew, the revision rises by one however many facts were news, and
        next_announce_at follows the status: None when final or parked, else the
        moment from which the janitor may announce the asset again. A Faulted is kept
        while its step is open (lifecycle.is_open); closing that step clears it, and
        while it stands next_announce_at is None. Of many writers at once none is lost.
        A reason stands only while the asset is held, refused or expired.

        Raises:
            AssetNotFound: no record has this id.
            Conflict: others changed or held the row at every try.
        """

    def history(self, asset_id: UUID) -> list[AssetEvent]:
        """Return an asset's events, oldest first; none for an unknown id."""

    def consent(self, asset_id: UUID) -> Consent | None:
        """Return the receipt, or None where consent was never given."""

    def page(self, query: AssetQuery) -> tuple[list[Asset], str | None]:
        """Return one page of assets, and a cursor if there are more.

        Following the cursor to its end gives every asset once, also while others are
        added. A cursor that was not given by page raises ValueError.
        """

    def due(self, now: datetime, limit: int) -> list[Asset]:
        """Return assets whose next_announce_at has come, longest overdue first."""

    def postpone(self, asset: Asset, until: datetime) -> bool:
        """Move next_announce_at if nobody changed or moved the asset since it was read.

        Returns whether it did: of many janitors one may announce. The revision stays.
        An asset without next_announce_at is not to be announced, so it is not moved.
        """

    def counts(self) -> Mapping[Status, int]:
        """Return how many assets have each status, those that none has left out."""

    def reasons(self) -> Mapping[str, int]:
        """Return how many assets have each reason: held, refused or expired."""

    def project(self, project_id: str) -> Project | None:
        """Return a project, or None if it was never saved."""

    def projects(self) -> list[Project]:
        """Return every saved project by id."""

    def save_project(self, project: Project) -> None:
        """Store a project's policies, replacing what was there."""

    def ping(self) -> None:
        """Return if the database answers and has its tables.

        Raises:
            Unavailable: it does not.
        """

    def close(self) -> None:
        """Let go of connections. Safe to run twice."""
