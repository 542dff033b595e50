"""Databases that fail, stall and are shared by processes."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from infra import migrations
from infra.engines import open_database
from schemas.errors import SettingsError
from schemas.ports import AssetQuery, AssetRecords
from tests.records import admit, arrived, note_checks, opened, provision_and_admit
from tests.sessions import seen

SERVERS = pytest.param("postgresql", marks=pytest.mark.servers)


@pytest.fixture(params=["sqlite", SERVERS])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/assets.db"
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def records(url: str) -> Iterator[AssetRecords]:
    records = opened(url)
    records.provision()
    yield records
    records.close()


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Starts processes quickly; they share nothing with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.records"])
    return context


# migrations


def test_models_and_migrations_agree(url: str) -> None:
    database = open_database(url)
    with database.writing() as connection:
        migrations.upgrade(connection)

        context = MigrationContext.configure(
            connection, opts={"compare_server_default": True}
        )
        differences = compare_metadata(context, SQLModel.metadata)

    database.read.dispose()
    assert differences == []


def test_a_migration_that_is_interrupted_leaves_nothing_behind(url: str) -> None:
    database = open_database(url)

    with suppress(KeyboardInterrupt), database.writing() as connection:
        migrations.upgrade(connection)
        raise KeyboardInterrupt

    with database.reading() as connection:
        assert sa.inspect(connection).get_table_names() == []
    database.read.dispose()


def test_processes_that_start_at_once_share_one_new_database(
    url: str, processes: ForkServerContext
) -> None:
    starting = [
        processes.Process(target=provision_and_admit, args=(url,)) for _ in range(4)
    ]

    for process in starting:
        process.start()
    for process in starting:
        process.join()

    records = opened(url)
    assert [process.exitcode for process in starting] == [0] * 4
    assert len(records.page(AssetQuery())[0]) == 4
    records.close()


@pytest.mark.servers
def test_a_migration_waits_for_another_to_end(postgresql_url: str) -> None:
    database = open_database(postgresql_url)
    late = opened(f"{postgresql_url}&application_name=late")
    with ThreadPoolExecutor(1) as pool:
        with database.migrating() as connection:
            migrations.upgrade(connection)
            waiting = pool.submit(late.provision)
            seen(database, "late", "wait_event_type = 'Lock'")

        waiting.result()

    late.ping()
    late.close()
    database.read.dispose()


def test_threads_may_provision_at_once(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(provision_and_admit, [url] * 4))

    records = opened(url)
    assert len(records.page(AssetQuery())[0]) == 4
    records.close()


# processes that share and die


def test_of_several_processes_that_write_one_row_none_is_lost(
    url: str, records: AssetRecords, processes: ForkServerContext
) -> None:
    asset = admit(records)
    writers = [
        processes.Process(target=note_checks, args=(url, asset.id, n, 20))
        for n in range(4)
    ]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    kept = records.get(asset.id)
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert len(kept.checks) == 80
    assert len(records.history(asset.id)) == kept.revision == 81


def test_what_was_acknowledged_survives_kill_9(
    url: str, records: AssetRecords, processes: ForkServerContext
) -> None:
    asset = admit(records)
    here, there = processes.Pipe(duplex=False)
    writer = processes.Process(
        target=note_checks, args=(url, asset.id, 1, 100_000, there)
    )
    writer.start()
    there.close()
    acknowledged = [here.recv() for _ in range(25)]

    writer.kill()
    writer.join()

    acknowledged += _rest(here)
    kept = records.note(asset.id, arrived()).asset
    assert set(acknowledged) <= set(kept.checks)
    # Nothing half done either: every change has its event.
    assert len(records.history(asset.id)) == kept.revision == len(kept.checks) + 2


def _rest(pipe: Connection) -> list[str]:
    found = []
    try:
        while True:
            found.append(pipe.recv())
    except (EOFError, OSError):  # OSError: killed within a message
        return found


# URLs


def test_a_new_file_is_in_wal_mode_before_anyone_can_see_it(tmp_path: Path) -> None:
    path = tmp_path / "assets.db"

    open_database(f"sqlite:///{path}")

    # The format's read and write versions: 2 is WAL (sqlite.org/fileformat2.html).
    assert path.read_bytes()[18:20] == b"\x02\x02"
    assert list(tmp_path.iterdir()) == [path]


def test_the_files_folder_is_created(tmp_path: Path) -> None:
    records = opened(f"sqlite:///{tmp_path}/new/folder/assets.db")

    records.provision()

    assert (tmp_path / "new/folder/assets.db").is_file()
    records.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "assets.db",
        "mysql://u:geheim@h/d",
        "postgresql+psycopg://u:geheim@h/d",
        "postgresql://u:geheim@h:port/d",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////dev/null/assets.db",
    ],
)
def test_a_url_that_can_not_be_used_is_refused_without_repeating_its_secrets(
    url: str,
) -> None:
    with pytest.raises(SettingsError, match="PRATIQUE_DATABASE") as caught:
        opened(url)

    assert "geheim" not in str(caught.value)
