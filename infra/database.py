"""AssetRecords on SQLite and PostgreSQL, from the same code.

SQLModel says what the tables are; statements are SQLAlchemy Core, as a session would
cost a millisecond of processor time a row.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from infra import cursors, migrations
from infra.changes import changes, next_look
from infra.engines import Database, open_database, rolled_back
from infra.rows import Columns, M
from schemas.assets import Asset, AssetEvent, Consent, Project
from schemas.doors import is_storable
from schemas.errors import AssetNotFound, Conflict
from schemas.facts import Fact
from schemas.lifecycle import Status, status
from schemas.ports import AssetQuery, AssetRecords, Clock, Noted

# From the second try on the row is locked while it is read, so nobody can come first.
_TRIES = 3


def open_records(url: str, *, clock: Clock, grace: timedelta) -> AssetRecords:
    """Open the records in the database that a SQLAlchemy URL names.

    A SQLite file and its folder are created; tables are provision's business.

    Args:
        grace: how long an asset is left to its functions before it is due.

    Raises:
        SettingsError: the URL can't be used.
    """
    return SqlAssetRecords(open_database(url), clock, grace)


class SqlAssetRecords:
    """AssetRecords on a SQL database."""

    def __init__(self, database: Database, clock: Clock, grace: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._grace = grace
        self._assets = Columns(Asset)
        self._events = Columns(AssetEvent)
        self._consents = Columns(Consent)
        self._projects = Columns(Project)
        self._build(database)

    def _build(self, database: Database) -> None:
        # Once: to build a statement costs more than to run it.
        assets = self._assets.table
        wanted = assets.c.id == sa.bindparam("asset_id")
        read = assets.c.revision == sa.bindparam("read")
        self._by_id = sa.select(*self._assets.labeled).where(wanted)
        self._by_id_locked = self._by_id.with_for_update()
        self._update = sa.update(assets).where(wanted, read)
        self._swap = self._update.returning(*self._assets.labeled)
        insert = database.insert(assets).on_conflict_do_nothing()
        self._insert = insert.returning(*self._assets.labeled)
        self._insert_event = sa.insert(self._events.table)
        self._insert_consent = sa.insert(self._consents.table)

    def provision(self) -> None:
        """Bring the tables to the newest schema. Safe to run twice."""
        with self._database.migrating() as connection:
            migrations.upgrade(connection)

    def provisioned(self) -> bool:
        """Return whether the tables are of the newest schema."""
        with self._database.reading() as connection:
            return migrations.is_newest(connection)

    def admit(self, asset: Asset, consent: Consent | None) -> Asset:
        """Store a new asset, its receipt and its first event in one commit."""
        values = self._assets.values(asset) | self._beginnings(asset, consent)
        values = self._assets.bind(values)
        with self._database.writing() as connection:
            row = connection.execute(self._insert, values).first()
            if row is None:
                return self._find(connection, asset.id)
            admitted = self._assets.read(row)
            self._record(connection, admitted)
            if consent is not None:
                receipt = self._consents.bind(self._consents.values(consent))
                connection.execute(self._insert_consent, receipt)
        return admitted

    def _beginnings(self, asset: Asset, consent: Consent | None) -> dict[str, Any]:
        now = self._clock()
        stands = status(asset.facts)
        updated_at = asset.updated_at or now
        soon = updated_at + self._grace
        return {
            "consent_hash": consent.sha256 if consent else None,
            "status": stands,
            "revision": 1,
            "created_at": asset.created_at or now,
            "updated_at": updated_at,
            "next_announce_at": next_look(stands, asset.fault, asset.expires_at, soon),
        }

    def get(self, asset_id: UUID) -> Asset:
        """Return an asset, detached from any session."""
        with self._database.reading() as connection:
            return self._find(connection, asset_id)

    def note(self, asset_id: UUID, *facts: Fact) -> Noted:
        """Add facts to an asset in one commit, with an event if they were news."""
        for tries in range(_TRIES):
            try:
                noted = self._try_to_note(asset_id, facts, locked=tries > 0)
            except Conflict as exc:
                if not rolled_back(exc):  # it has waited long enough already
                    raise
                noted = None
            if noted is not None:
                return noted
        raise Conflict(f"{asset_id}: others changed the record at every try")

    def _try_to_note(
        self, asset_id: UUID, facts: Sequence[Fact], *, locked: bool
    ) -> Noted | None:
        with self._database.writing() as connection:
            asset = self._find(connection, asset_id, locked=locked)
            news = changes(asset, facts, self._clock(), self._grace)
            if not news:
                return Noted(asset, changed=False)
            changed = self._change(connection, asset, news)
            return Noted(changed, changed=True) if changed else None

    def _change(
        self, connection: sa.Connection, asset: Asset, news: Mapping[str, Any]
    ) -> Asset | None:
        """Change the row if nobody else did since *asset* was read."""
        read = {"asset_id": asset.id, "read": asset.revision}
        row = connection.execute(self._swap, read | self._assets.bind(news)).first()
        if row is None:
            return None
        changed = self._assets.read(row)
        self._record(connection, changed)
        return changed

    def _record(self, connection: sa.Connection, asset: Asset) -> None:
        event = {
            "asset_id": asset.id,
            "revision": asset.revision,
            "status": asset.status,
            "at": asset.updated_at,
        }
        connection.execute(self._insert_event, event)

    def _find(
        self, connection: sa.Connection, asset_id: UUID, *, locked: bool = False
    ) -> Asset:
        # SQLite has no row locks and needs none: its writers take turns.
        query = self._by_id_locked if locked else self._by_id
        row = connection.execute(query, {"asset_id": asset_id}).first()
        if row is None:
            raise AssetNotFound(f"{asset_id}: no such asset")
        return self._assets.read(row)

    def history(self, asset_id: UUID) -> list[AssetEvent]:
        """Return an asset's events, oldest first; none for an unknown id."""
        table = self._events.table
        query = sa.select(*self._events.labeled).where(table.c.asset_id == asset_id)
        return self._all(self._events, query.order_by(table.c.revision))

    def consent(self, asset_id: UUID) -> Consent | None:
        """Return the receipt, or None where consent was never given."""
        query = sa.select(*self._consents.labeled)
        query = query.where(self._consents.table.c.asset_id == asset_id)
        return next(iter(self._all(self._consents, query)), None)

    def page(self, query: AssetQuery) -> tuple[list[Asset], str | None]:
        """Return one page of assets, and a cursor if there are more."""
        if query.limit < 1:
            raise ValueError("a page holds one asset at least")
        conditions = list(self._conditions(query))
        if not all(map(is_storable, (query.project_id or "", query.reference or ""))):
            return [], None
        columns = self._assets.table.c
        select = sa.select(*self._assets.labeled).where(*conditions)
        select = select.order_by(columns.created_at, columns.id).limit(query.limit + 1)
        found = self._all(self._assets, select)
        page = found[: query.limit]
        if len(found) == len(page):
            return page, None
        assert page[-1].created_at is not None
        return page, cursors.dump(page[-1].created_at, page[-1].id)

    def _conditions(self, query: AssetQuery) -> Iterator[sa.ColumnElement[bool]]:
        columns = self._assets.table.c
        for name in ("project_id", "status", "reference"):
            value = getattr(query, name)
            if value is not None:
                yield columns[name] == value
        if query.since is not None:
            yield columns.created_at >= query.since
        if query.until is not None:
            yield columns.created_at < query.until
        if query.cursor is not None:
            created_at, asset_id = cursors.parse(query.cursor)
            yield sa.tuple_(columns.created_at, columns.id) > sa.tuple_(
                sa.literal(created_at, columns.created_at.type),
                sa.literal(asset_id, columns.id.type),
            )

    def due(self, now: datetime, limit: int) -> list[Asset]:
        """Return assets whose next_announce_at has come, longest overdue first."""
        table = self._assets.table
        query = (
            sa.select(*self._assets.labeled)
            .where(table.c.next_announce_at <= now)
            .order_by(table.c.next_announce_at, table.c.id)
            .limit(limit)
        )
        return self._all(self._assets, query)

    def postpone(self, asset: Asset, until: datetime) -> bool:
        """Move next_announce_at if nobody changed or moved the asset since."""
        if asset.next_announce_at is None:
            return False
        column = self._assets.table.c.next_announce_at
        update = self._update.where(column == asset.next_announce_at)
        read = {"asset_id": asset.id, "read": asset.revision}
        with self._database.writing() as connection:
            moved = connection.execute(update, read | {"next_announce_at": until})
        return moved.rowcount == 1

    def counts(self) -> Mapping[Status, int]:
        """Return how many assets have each status, those that none has left out."""
        return {Status(name): n for name, n in self._counted("status").items()}

    def reasons(self) -> Mapping[str, int]:
        """Return how many assets have each reason: held, refused or expired."""
        return self._counted("reason")

    def _counted(self, name: str) -> dict[str, int]:
        column = self._assets.table.c[name]
        query = sa.select(column, sa.func.count()).group_by(column)
        with self._database.reading() as connection:
            rows = connection.execute(query.where(column.is_not(None)))
            return {str(value): count for value, count in rows}

    def project(self, project_id: str) -> Project | None:
        """Return a project, or None if it was never saved."""
        if not is_storable(project_id):
            return None
        query = sa.select(*self._projects.labeled)
        query = query.where(self._projects.table.c.id == project_id)
        return next(iter(self._all(self._projects, query)), None)

    def projects(self) -> list[Project]:
        """Return every saved project by id."""
        found = self._all(self._projects, sa.select(*self._projects.labeled))
        # Sorted here, as databases have collations of their own.
        return sorted(found, key=lambda project: project.id)

    def save_project(self, project: Project) -> None:
        """Store a project's policies, replacing what was there."""
        values = self._projects.values(project)
        values["created_at"] = project.created_at or self._clock()
        insert = self._database.insert(self._projects.table)
        insert = insert.values(self._projects.bind(values))
        replaced = {
            column.name: column
            for column in insert.excluded
            if column.name not in ("id", "created_at")
        }
        with self._database.writing() as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=["id"], set_=replaced)
            )

    def ping(self) -> None:
        """Return if the database answers and has its tables."""
        with self._database.reading() as connection:
            connection.execute(sa.select(self._assets.table.c.id).limit(1))

    def close(self) -> None:
        """Let go of connections. Safe to run twice."""
        self._database.read.dispose()

    def _all(self, columns: Columns[M], query: sa.Select[Any]) -> list[M]:
        with self._database.reading() as connection:
            return [columns.read(row) for row in connection.execute(query)]
