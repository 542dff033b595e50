"""Private servers: nothing of them is left behind, however their user ends."""

import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from infra.servers import postgresql
from schemas.errors import SettingsError

# Starts a server, says where it lives and who it is, and waits to be ended.
HOST = """
import sqlalchemy as sa
from infra.servers import postgresql
with postgresql() as url:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        print(connection.exec_driver_sql("SHOW data_directory").scalar())
        print(connection.exec_driver_sql("SHOW fsync").scalar(), flush=True)
    engine.dispose()
    input()
"""


@pytest.mark.servers
def test_a_server_ends_with_the_process_that_started_it() -> None:
    host = subprocess.Popen(
        [sys.executable, "-c", HOST],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert host.stdout is not None
    data = Path(host.stdout.readline().strip())
    server = int((data / "postmaster.pid").read_text().splitlines()[0])
    watch = os.pidfd_open(server)

    host.kill()
    host.communicate()

    ended, _, _ = select.select([watch], [], [], 15)
    os.close(watch)
    shutil.rmtree(data.parent)
    assert ended


@pytest.mark.servers
def test_a_server_that_was_left_leaves_no_file_and_no_listener() -> None:
    with postgresql() as url:
        parsed = sa.make_url(url)
        with sa.create_engine(url).connect() as connection:
            data = connection.exec_driver_sql("SHOW data_directory").scalar_one()

    assert not Path(data).parent.exists()
    with pytest.raises(psycopg2.OperationalError, match="refused"):
        psycopg2.connect(host=parsed.host, port=parsed.port)


@pytest.mark.servers
def test_a_server_syncs_and_wants_a_password() -> None:
    with postgresql() as url:
        parsed = sa.make_url(url)
        wrong = parsed.set(password="wrong")
        with sa.create_engine(url).connect() as connection:
            assert connection.exec_driver_sql("SHOW fsync").scalar_one() == "on"
        with pytest.raises(sa.exc.OperationalError, match="password"):
            sa.create_engine(wrong).connect()


def test_without_binaries_the_message_says_what_to_install(tmp_path: Path) -> None:
    server = postgresql(tmp_path)

    with pytest.raises(SettingsError, match=r"sudo apt-get install -y .* postgresql"):
        server.__enter__()
