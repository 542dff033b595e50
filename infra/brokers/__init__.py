"""Brokers, opened by URL."""

from pathlib import Path

from infra.brokers.options import AmqpOptions
from infra.brokers.sqlite import SqliteBroker
from schemas.errors import SettingsError
from schemas.ports import Broker, Clock

_KNOWN = ("amqp", "amqps", "sqlite")


def open_broker(
    url: str,
    *,
    clock: Clock,
    amqp: AmqpOptions = AmqpOptions(),  # noqa: B008  (frozen)
) -> Broker:
    """Open the broker that *url*'s scheme names.

    `sqlite:PATH`, or `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or the same with `amqps`.

    Raises:
        SettingsError: the URL is malformed, or its file is no broker's.
        Unavailable: the broker could not be reached; worth a retry.
    """
    scheme, colon, rest = url.partition(":")
    if scheme not in _KNOWN or not colon:
        # Not the URL: it may hold a password, also when its scheme is misspelt.
        named = repr(scheme) if colon else "missing"
        known = ", ".join(f"{name}:" for name in _KNOWN)
        raise SettingsError(f"broker URL: scheme is {named}; known are {known}")
    if scheme == "sqlite":
        return _open_sqlite(rest, clock)
    # pika and httpx take a third of a second; the embedded broker needs neither.
    from infra.brokers.amqp import AmqpBroker  # noqa: PLC0415

    return AmqpBroker(url, clock=clock, options=amqp)


def _open_sqlite(path: str, clock: Clock) -> Broker:
    if not path or path.startswith(("//", ":")) or "\0" in path:
        # `sqlite:///x` is relative to some libraries and absolute to others.
        raise SettingsError(f"broker URL: write sqlite:PATH, not 'sqlite:{path}'")
    return SqliteBroker(Path(path), clock=clock)
