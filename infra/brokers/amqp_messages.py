"""Messages as RabbitMQ has them: properties and headers, ours and its own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pika

from infra.brokers import headers as common
from schemas import events
from schemas.errors import MalformedEvent
from schemas.ports import Message

# Ours, which readers do not see: what goes through the default exchange has the
# queue's name for a key, and AMQP's own timestamp counts whole seconds.
_KEY = "x-key"
_PUBLISHED_AT = "x-published-at"
_OFFSET = "x-stream-offset"
_DEATHS = "x-death"  # https://www.rabbitmq.com/docs/dlx#effects
# RabbitMQ's. Sent along, `x-death` would let it take the next retry for a cycle and
# drop the message; `CC` and `BCC` would route it to other queues.
_THEIRS = frozenset(("x-delivery-count", "x-acquired-count", _OFFSET, "CC", "BCC"))
_THEIRS_BEGIN = (_DEATHS, "x-first-death-", "x-last-death-")
MARKER = "x-marker"  # ends a reading of the journal
_OWN = frozenset((_KEY, _PUBLISHED_AT, MARKER))
_GIVEN_UP = "delivery_limit"


def properties(
    headers: Mapping[str, str], key: str, published_at: datetime | None
) -> pika.BasicProperties:
    """Return the properties of a message that survives a restart of the broker."""
    told = {
        name: text.encode(errors="replace").decode()  # lone surrogates are no UTF-8
        for name, text in headers.items()
        if _is_senders(name, text)
    }
    told[_KEY] = key
    if published_at is not None:
        told[_PUBLISHED_AT] = published_at.astimezone(UTC).isoformat()
    return pika.BasicProperties(  # type: ignore[no-untyped-call]  # pika's
        content_type="application/json",
        delivery_mode=pika.DeliveryMode.Persistent.value,
        headers=told,
    )


def marker(name: str) -> pika.BasicProperties:
    """Return the properties of a message that only ends a reading of the journal."""
    return pika.BasicProperties(  # type: ignore[no-untyped-call]  # pika's
        delivery_mode=pika.DeliveryMode.Persistent.value, headers={MARKER: name}
    )


def received(
    queue: str, routing_key: str, found: pika.BasicProperties, body: bytes
) -> tuple[Message, int]:
    """Return a message of *queue* and which attempt it is."""
    raw: dict[str, Any] = found.headers or {}
    told = {name: text for name, text in raw.items() if _is_senders(name, text)}
    given_up = _given_up(raw) if queue.endswith(".dead") else {}
    # A death in an earlier life is told where the dead are, and nowhere else.
    dead = common.REASON in told or bool(given_up)
    attempt = 1 if dead else _number(told.pop(common.ATTEMPT, "1"))
    message = Message(
        body=body,
        key=_text(raw.get(_KEY)) or routing_key,
        headers={**told, **{k: v for k, v in given_up.items() if k not in told}},
        published_at=_time(found, raw, body),
        position=_position(raw),
    )
    return message, attempt


def _is_senders(name: object, text: object) -> bool:
    if not isinstance(name, str):
        return False  # pika gives names that are no UTF-8 as bytes
    if name in _THEIRS or name in _OWN or name.startswith(_THEIRS_BEGIN):
        return False
    return isinstance(text, str)


def _given_up(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of a message that RabbitMQ itself dead-lettered."""
    deaths = raw.get(_DEATHS)
    last = deaths[0] if isinstance(deaths, list) and deaths else None
    if not isinstance(last, dict) or last.get("reason") != _GIVEN_UP:
        return {}
    told = {common.REASON: _GIVEN_UP, common.ATTEMPT: "1"}
    at = last.get("time")
    if isinstance(at, datetime):
        told[common.FAILED_AT] = at.replace(tzinfo=UTC).isoformat()
    return told


def _time(
    found: pika.BasicProperties, raw: Mapping[str, Any], body: bytes
) -> datetime | None:
    """Return when a message was published; MinIO tells it in the event only."""
    for moment in (_iso(raw.get(_PUBLISHED_AT)), _seconds(found.timestamp)):
        if moment is not None:
            return moment
    try:
        created = events.parse(body)
    except MalformedEvent:
        return None
    return created[0].occurred_at if created else None


def _iso(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(text))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _seconds(timestamp: object) -> datetime | None:
    if not isinstance(timestamp, int):
        return None
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _position(raw: Mapping[str, Any]) -> int:
    offset = raw.get(_OFFSET)
    return offset + 1 if isinstance(offset, int) else 0


def _number(text: str) -> int:
    plain = text.isascii() and text.isdigit() and len(text) < 10
    return max(1, int(text)) if plain else 1


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
