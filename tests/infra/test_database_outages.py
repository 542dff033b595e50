"""Databases that are not there, or go in the middle of something."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from pathlib import Path

import pytest

from infra.engines import open_database
from schemas.errors import Conflict, Unavailable
from schemas.ports import AssetRecords
from tests.records import admit, arrived, opened
from tests.sessions import terminated


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_server_that_is_not_there_is_unavailable(dead_port: int) -> None:
    records = opened(f"postgresql://u:geheim@127.0.0.1:{dead_port}/d")

    with pytest.raises(Unavailable) as caught:
        records.ping()

    assert "geheim" not in str(caught.value)


@pytest.mark.servers
def test_a_transaction_whose_connection_is_lost_is_unavailable_and_can_be_repeated(
    postgresql_records: str,
) -> None:
    records = opened(f"{postgresql_records}&application_name=lost")
    asset = admit(records)
    database = open_database(postgresql_records)
    with ThreadPoolExecutor(1) as pool, database.writing() as holder:
        holder.exec_driver_sql("UPDATE assets SET revision = revision")
        waiting = pool.submit(records.note, asset.id, arrived())
        terminated(database, "lost", "wait_event_type = 'Lock'")
        with pytest.raises(Unavailable):
            waiting.result()

    noted = records.note(asset.id, arrived())

    assert noted.changed
    database.read.dispose()
    records.close()


# Fails the first so many updates; a sequence counts on through what is rolled back.
FAILING = """
CREATE SEQUENCE tries;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('tries') <= {times} THEN RAISE EXCEPTION USING ERRCODE = '{state}';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fail BEFORE UPDATE ON assets FOR EACH ROW EXECUTE FUNCTION fail();
"""


@pytest.fixture
def failing(postgresql_url: str) -> Iterator[Callable[[int, str], AssetRecords]]:
    """Make records whose first updates fail."""
    records = opened(postgresql_url)
    records.provision()
    database = open_database(postgresql_url)

    def make(times: int, state: str) -> AssetRecords:
        with database.writing() as connection:
            connection.exec_driver_sql(FAILING.format(times=times, state=state))
        return records

    yield make
    database.read.dispose()
    records.close()


@pytest.mark.servers
@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_what_the_server_rolled_back_for_others_sake_is_repeated(
    failing: Callable[[int, str], AssetRecords], state: str
) -> None:
    records = failing(2, state)
    asset = admit(records)

    noted = records.note(asset.id, arrived())

    assert noted.changed
    assert len(records.history(asset.id)) == 2


@pytest.mark.servers
def test_what_is_rolled_back_every_time_is_a_conflict(
    failing: Callable[[int, str], AssetRecords],
) -> None:
    records = failing(99, "40001")
    asset = admit(records)

    with pytest.raises(Conflict):
        records.note(asset.id, arrived())


@pytest.mark.servers
def test_idle_connections_that_were_lost_are_replaced(postgresql_records: str) -> None:
    records = opened(f"{postgresql_records}&application_name=lost")
    asset = admit(records)
    database = open_database(postgresql_records)
    terminated(database, "lost", "state = 'idle'")

    found = records.get(asset.id)

    assert found == asset
    database.read.dispose()
    records.close()


@pytest.mark.servers
def test_times_are_utc_whatever_the_servers_zone(postgresql_records: str) -> None:
    records = opened(f"{postgresql_records} -c timezone=Asia/Tokyo")

    asset = admit(records)

    assert asset.created_at is not None
    assert asset.created_at.tzinfo is UTC
    records.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "assets.db"
    path.write_bytes(b"not a database" * 500)
    records = opened(f"sqlite:///{path}")

    with pytest.raises(Unavailable):
        records.ping()

    records.close()
