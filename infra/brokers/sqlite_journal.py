"""The embedded broker's journal; each function runs in a transaction.

Times are microseconds since 1970 in UTC. The tables: infra/brokers/sqlite_file.py.
"""

import json
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection

from infra.brokers import headers
from schemas.ports import Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 100  # messages read at once; bodies are small


def micros(moment: datetime) -> int:
    """Return an aware datetime as microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(micros: int) -> datetime:
    """Return microseconds since 1970 as a datetime in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def append(db: Connection, key: str, new: Message, now: int) -> int:
    """Add a message to the log and return its position there."""
    text = json.dumps(headers.fresh(new.headers))
    written = db.execute(
        "INSERT INTO log (published_at, key, headers, body) VALUES (?, ?, ?, ?)",
        (now, key, text, new.body),
    )
    return written.lastrowid or 0


def end(db: Connection) -> int:
    """Return the last position of the log."""
    found = db.execute("SELECT coalesce(max(position), 0) FROM log")
    return int(found.fetchall()[0][0])


def page(
    db: Connection, after: int, last: int, since: int, until: int
) -> list[Message]:
    """Return the next messages of the log between two positions and two times."""
    rows = db.execute(
        "SELECT position, published_at, key, headers, body FROM log"
        " WHERE position > ? AND position <= ?"
        " AND published_at >= ? AND published_at < ? ORDER BY position LIMIT ?",
        (after, last, since, until, _PAGE),
    )
    return [message(*row) for row in rows.fetchall()]


def prune(db: Connection, before: int, rows: int) -> None:
    """Delete the oldest messages that every queue has behind it, up to *rows*."""
    db.execute(
        "DELETE FROM log WHERE published_at < ? AND position IN"
        " (SELECT position FROM log ORDER BY position LIMIT ?) AND NOT EXISTS"
        " (SELECT 1 FROM queue WHERE queue.key = log.key AND cursor < position)",
        (before, rows),
    )


def message(
    position: int, published_at: int, key: str, text: str, body: bytes
) -> Message:
    """Return a message from its columns."""
    return Message(body, key, json.loads(text), moment(published_at), position)
