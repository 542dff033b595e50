"""The embedded broker's queues; each function runs in a transaction.

Times are microseconds since 1970 in UTC. The tables: infra/brokers/sqlite_file.py.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from sqlite3 import Connection

from infra.brokers import headers
from infra.brokers.sqlite_journal import message, moment
from schemas.errors import QueueNotFound
from schemas.ports import Message, QueueDepth

# Not the time: another process's clock may be behind the one that would be asked.
AT_ONCE = 0


@dataclass(frozen=True)
class Claim:
    """One message handed out to one consumer; *handouts* tells it from later ones."""

    id: int
    handouts: int
    consumer: str
    queue: str
    attempt: int
    message: Message


@dataclass(frozen=True)
class Outlook:
    """What a consumer may expect of its queue.

    Attributes:
        enlisted: the consumer is known; unsettled: how many messages it holds.
        waiting: the log has one for it; ready_at: when the first of the others is due.
    """

    enlisted: bool
    unsettled: int
    waiting: bool
    ready_at: int | None


def declare(db: Connection, queue: str, key: str) -> None:
    """Bind *queue* to *key*; what its old key brought it stays in it."""
    names = {"queue": queue, "key": key}
    db.execute(
        "INSERT INTO message"
        " (queue, position, published_at, key, headers, body)"
        " SELECT queue, position, published_at, key, headers, body"
        " FROM waiting WHERE queue = :queue AND key != :key",
        names,
    )
    db.execute(
        "INSERT INTO queue (name, key, cursor)"
        " VALUES (:queue, :key, (SELECT coalesce(max(position), 0) FROM log))"
        " ON CONFLICT (name) DO UPDATE SET key = excluded.key, cursor = excluded.cursor"
        " WHERE queue.key IS NOT excluded.key",
        names,
    )
    db.execute(
        "INSERT OR IGNORE INTO queue (name, cursor) VALUES (?, 0)",
        (headers.dead_queue(queue),),
    )


def declared(db: Connection, queue: str, key: str) -> bool:
    """Return whether *queue* is bound to *key* and has its dead queue."""
    ((count,),) = db.execute(
        "SELECT count(*) FROM queue"
        " WHERE (name = :queue AND key = :key) OR name = :dead",
        {"queue": queue, "key": key, "dead": headers.dead_queue(queue)},
    ).fetchall()
    return bool(count == 2)


def require(db: Connection, queue: str) -> None:
    """Raise QueueNotFound unless *queue* was declared."""
    if not db.execute("SELECT 1 FROM queue WHERE name = ?", (queue,)).fetchall():
        raise QueueNotFound(f"{queue}: no such queue; `pratique provision` declares it")


def put(db: Connection, queue: str, message: Message, now: int) -> None:
    """Add a message to one queue."""
    text = json.dumps(headers.fresh(message.headers))
    db.execute(
        "INSERT INTO message (queue, published_at, key, headers, body)"
        " VALUES (?, ?, ?, ?, ?)",
        (queue, now, message.key, text, message.body),
    )


def outlook(db: Connection, queue: str, consumer: str) -> Outlook:
    """Say what *consumer* may expect of *queue*."""
    enlisted, unsettled, waiting, ready_at = db.execute(
        "SELECT EXISTS (SELECT 1 FROM consumer WHERE id = :consumer),"
        " (SELECT count(*) FROM message WHERE consumer = :consumer),"
        " EXISTS (SELECT 1 FROM waiting WHERE queue = :queue),"
        " (SELECT min(ready_at) FROM message"
        "  WHERE queue = :queue AND consumer IS NULL)",
        {"queue": queue, "consumer": consumer},
    ).fetchall()[0]
    return Outlook(bool(enlisted), unsettled, bool(waiting), ready_at)


def claim(db: Connection, queue: str, consumer: str, now: int) -> Claim | None:
    """Hand the next message to *consumer*: what waits in the queue before the log."""
    names = {"queue": queue, "consumer": consumer, "now": now}
    rows = db.execute(
        "UPDATE message SET consumer = :consumer, handouts = handouts + 1"
        " WHERE id = (SELECT id FROM message WHERE queue = :queue"
        "  AND consumer IS NULL AND ready_at <= :now"
        "  ORDER BY ready_at, handouts, id LIMIT 1)"
        " RETURNING id",
        names,
    ).fetchall()
    if not rows:
        rows = db.execute(
            "INSERT INTO message"
            " (queue, consumer, position, published_at, key, headers, body)"
            " SELECT queue, :consumer, position, published_at, key, headers, body"
            " FROM waiting WHERE queue = :queue ORDER BY position LIMIT 1"
            " RETURNING id",
            names,
        ).fetchall()
        db.executemany(
            "UPDATE queue SET cursor = (SELECT position FROM message WHERE id = ?)"
            " WHERE name = ?",
            [(row[0], queue) for row in rows],
        )
    return _load(db, rows[0][0]) if rows else None


def ack(db: Connection, held: Claim) -> None:
    """Delete a message, if the claim still stands."""
    db.execute(
        "DELETE FROM message WHERE id = ? AND handouts = ? AND consumer = ?",
        (held.id, held.handouts, held.consumer),
    )


def release(db: Connection, held: Claim) -> None:
    """Make a message ready again, if the claim still stands."""
    _return(db, held, held)


def retry(db: Connection, held: Claim, cause: str, ready_at: int) -> None:
    """Let a message wait for its next attempt, if the claim still stands."""
    marked = headers.retried(held.message.headers, cause)
    after = replace(
        held,
        attempt=held.attempt + 1,
        message=replace(held.message, headers=marked),
    )
    _return(db, held, after, ready_at)


def dead_letter(db: Connection, held: Claim, reason: str, at: datetime) -> None:
    """Move a message to its dead queue, if the claim still stands."""
    marked = headers.dead(held.message.headers, reason, held.attempt, at)
    after = replace(
        held,
        attempt=1,
        queue=headers.dead_queue(held.queue),
        message=replace(held.message, headers=marked),
    )
    _return(db, held, after)


def enlist(db: Connection, consumer: str, queue: str) -> None:
    """Note who consumes what."""
    db.execute("INSERT INTO consumer (id, queue) VALUES (?, ?)", (consumer, queue))


def give_back(db: Connection, consumer: str) -> None:
    """Forget a consumer; what it had not settled is ready again."""
    db.execute("UPDATE message SET consumer = NULL WHERE consumer = ?", (consumer,))
    db.execute("DELETE FROM consumer WHERE id = ?", (consumer,))


def bury(db: Connection, consumer: str, limit: int, at: datetime) -> None:
    """Give back what a dead consumer held; dead-letter what *limit* others held, too.

    Attempts stay as they are: they count failures of the message, and most of what
    a killed consumer held are bystanders. But a message that kills its consumers
    must not go round for ever. So these hand-outs are counted apart, against a limit
    far above any number of honest crashes, like RabbitMQ's x-delivery-limit.
    """
    db.execute("UPDATE message SET lost = lost + 1 WHERE consumer = ?", (consumer,))
    spent = db.execute(
        "SELECT id FROM message WHERE consumer = ? AND lost >= ?", (consumer, limit)
    )
    for (number,) in spent.fetchall():
        dead_letter(db, _load(db, number), "delivery_limit", at)
    give_back(db, consumer)


def everyone(db: Connection) -> list[str]:
    """Return all consumers."""
    return [row[0] for row in db.execute("SELECT id FROM consumer").fetchall()]


def consumers(db: Connection, queue: str) -> list[str]:
    """Return who consumes *queue*."""
    found = db.execute("SELECT id FROM consumer WHERE queue = ?", (queue,))
    return [row[0] for row in found.fetchall()]


def listeners(db: Connection, key: str) -> list[str]:
    """Return who consumes a queue that is bound to *key*."""
    found = db.execute(
        "SELECT consumer.id FROM queue JOIN consumer ON consumer.queue = queue.name"
        " WHERE queue.key = ?",
        (key,),
    )
    return [row[0] for row in found.fetchall()]


def depths(db: Connection, now: int) -> Iterator[tuple[str, QueueDepth]]:
    """Yield every queue's name and depth."""
    rows = db.execute(
        "WITH inside AS (SELECT queue, consumer IS NOT NULL AS out, ready_at,"
        " published_at FROM message UNION ALL"
        " SELECT queue, 0, 0, published_at FROM waiting)"
        " SELECT name, count(*) FILTER (WHERE NOT out AND ready_at <= :now),"
        " count(*) FILTER (WHERE NOT out AND ready_at > :now),"
        " count(*) FILTER (WHERE out), min(published_at)"
        " FROM queue LEFT JOIN inside ON inside.queue = queue.name GROUP BY name",
        {"now": now},
    )
    for name, ready, delayed, unsettled, oldest in rows.fetchall():
        oldest_at = None if oldest is None else moment(oldest)
        yield name, QueueDepth(ready, delayed, unsettled, oldest_at)


def _return(db: Connection, held: Claim, after: Claim, ready_at: int = AT_ONCE) -> None:
    db.execute(
        "UPDATE message SET consumer = NULL, ready_at = :ready_at, queue = :queue,"
        " lost = CASE WHEN queue = :queue THEN lost ELSE 0 END,"
        " attempt = :attempt, headers = :headers"
        " WHERE id = :id AND handouts = :handouts AND consumer = :consumer",
        {
            "id": held.id,
            "handouts": held.handouts,
            "consumer": held.consumer,
            "ready_at": ready_at,
            "queue": after.queue,
            "attempt": after.attempt,
            "headers": json.dumps(dict(after.message.headers)),
        },
    )


def _load(db: Connection, number: int) -> Claim:
    rows = db.execute(
        "SELECT handouts, consumer, queue, attempt,"
        " position, published_at, key, headers, body FROM message WHERE id = ?",
        (number,),
    ).fetchall()
    handouts, consumer, queue, attempt, *rest = rows[0]
    return Claim(number, handouts, consumer, queue, attempt, message(*rest))
