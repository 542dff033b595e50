"""Databases that are not there, or go in the middle of something."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from pathlib import Path

import pytest

from infra.engines import open_database
from schemas.errors import Unavailable
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
