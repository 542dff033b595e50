"""Opening brokers: URLs, and files that are not one."""

import sqlite3
import ssl
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from infra.brokers import open_broker
from infra.brokers.amqp_url import parameters
from infra.brokers.sqlite import SqliteBroker
from schemas.errors import SettingsError, Unavailable
from schemas.ports import Message
from tests.contracts.brokers import now


def test_an_unknown_scheme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        SettingsError, match="'kafka'; known are amqp:, amqps:, sqlite:"
    ):
        open_broker("kafka://here", clock=now)


def test_a_url_without_scheme_is_refused() -> None:
    with pytest.raises(SettingsError, match="scheme is missing"):
        open_broker("data/broker.db", clock=now)


def test_the_refusal_of_a_url_keeps_its_password() -> None:
    with pytest.raises(SettingsError) as refused:
        open_broker("ampq://user:sesame@host", clock=now)

    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["sqlite:", "sqlite:///x.db", "sqlite::memory:", "sqlite:a\0b"]
)
def test_a_path_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="sqlite:PATH"):
        open_broker(url, clock=now)


@pytest.mark.parametrize("name", ["new/folder/b.db", "a b?c#d%20e ü.db", "-b"])
def test_a_broker_is_made_where_the_path_says(tmp_path: Path, name: str) -> None:
    broker = open_broker(f"sqlite:{tmp_path / name}", clock=now)

    broker.close()

    assert (tmp_path / name).is_file()


def test_what_was_published_is_there_after_reopening(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'b.db'}"
    with closing(open_broker(url, clock=now)) as broker:
        broker.publish("made", Message(b"1"))

    with closing(open_broker(url, clock=now)) as broker:
        kept = [each.body for each in broker.history()]

    assert kept == [b"1"]


@pytest.mark.parametrize("content", [b"garbage, not a database" * 100, b"SQLite"])
def test_a_file_that_is_no_database_is_refused_and_kept(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "b.db"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match="not a database"):
        open_broker(f"sqlite:{path}", clock=now)

    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE assets (id)")
    content = path.read_bytes()

    with pytest.raises(SettingsError, match="another program's"):
        open_broker(f"sqlite:{path}", clock=now)

    assert path.read_bytes() == content


def test_a_file_of_another_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    open_broker(f"sqlite:{path}", clock=now).close()
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("PRAGMA user_version = 7")

    with pytest.raises(SettingsError, match="schema 7; this release reads 1"):
        open_broker(f"sqlite:{path}", clock=now)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="unable to open"):
        open_broker(f"sqlite:{tmp_path}", clock=now)


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(SettingsError, match="Not a directory"):
        open_broker(f"sqlite:{tmp_path / 'file' / 'b.db'}", clock=now)


def test_a_file_that_stays_locked_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    broker = SqliteBroker(path, clock=now, lock_timeout=timedelta(milliseconds=10))

    with closing(broker), closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            broker.publish("made", Message(b"1"))


def test_a_broker_goes_on_after_it_was_locked_out(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    broker = SqliteBroker(path, clock=now, lock_timeout=timedelta(milliseconds=10))
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            broker.publish("made", Message(b"1"))

    with closing(broker):
        broker.publish("made", Message(b"2"))
        kept = [each.body for each in broker.history()]

    assert kept == [b"2"]


def test_publishing_to_a_removed_file_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "b.db"

    with closing(open_broker(f"sqlite:{path}", clock=now)) as broker:
        path.unlink()
        with pytest.raises(Unavailable, match="removed"):
            broker.publish("made", Message(b"1"))


def test_a_file_that_is_damaged_while_open_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    with closing(open_broker(f"sqlite:{path}", clock=now)) as broker:
        broker.publish("made", Message(b"1"))

    with closing(open_broker(f"sqlite:{path}", clock=now)) as broker:
        with path.open("r+b") as damaged:
            damaged.seek(4096)  # behind the first page, which is read already
            damaged.write(b"\xff" * 100_000)
        with pytest.raises(Unavailable):
            list(broker.history())


def test_a_closed_broker_is_unavailable(tmp_path: Path) -> None:
    broker = open_broker(f"sqlite:{tmp_path / 'b.db'}", clock=now)
    broker.close()

    with pytest.raises(Unavailable, match="closed"):
        broker.publish("made", Message(b"1"))


@pytest.mark.parametrize(
    "url",
    [
        "amqp:",
        "amqp://",
        "amqp:sesame",
        "amqp:///vhost",
        "amqp://u:sesame@host:port/v",
        "amqp://u:sesame@host:99999/v",
        "amqp://u:ses/ame@host/v",
        "amqp://user-without-password@host/v",
        "amqp://u:sesame@host/v?heartbeat=sesame",
        "amqp://u:sesame@host/v?sesame=1",
        "amqp://u:sesame@[host/v",
        "amqps://u:sesame@host/v?ssl_options=sesame",
    ],
)
def test_a_malformed_rabbitmq_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="amqp://USER:PASSWORD@HOST") as refused:
        open_broker(url, clock=now)

    assert "sesame" not in f"{refused.value}{refused.value.__cause__}"


@pytest.mark.parametrize("scheme", ["amqp", "amqps"])
def test_opening_a_rabbitmq_waits_for_nobody(scheme: str) -> None:
    broker = open_broker(f"{scheme}://u:p@host.invalid/v", clock=now)

    broker.close()


def test_a_rabbitmq_whose_name_is_unknown_is_unavailable() -> None:
    broker = open_broker("amqp://u:p@host.invalid/v", clock=now)

    with pytest.raises(Unavailable):
        broker.ping()

    broker.close()


def test_the_certificate_of_an_amqps_server_is_checked() -> None:
    found = parameters("amqps://u:p@host/v", "test")

    assert found.ssl_options is not None
    assert found.ssl_options.context.verify_mode is ssl.CERT_REQUIRED
    assert found.ssl_options.context.check_hostname


@pytest.mark.parametrize(
    ("url", "vhost"),
    [("amqp://u:p@h", "/"), ("amqp://u:p@h/%2F", "/"), ("amqp://u:p@h/a%20b", "a b")],
)
def test_the_vhost_is_the_urls_path(url: str, vhost: str) -> None:
    assert parameters(url, "test").virtual_host == vhost
