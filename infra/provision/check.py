"""What a function lacks when it starts, as far as its own credentials let it see."""

from collections.abc import Iterable, Iterator
from typing import Any

from infra.notifications import routing_key
from infra.platform import Platform
from infra.provision.servers import VERSIONED, server_of
from infra.provision.store_rights import buckets_of
from schemas.functions import EventFunction, Function

_MENDS = "`pratique provision` mends it"


def lacking(platform: Platform, functions: Iterable[Function]) -> list[str]:
    """Return what these functions can't work without, a sentence each.

    Raises:
        Unavailable: a server could not be reached, which is no lack.
    """
    found = [
        *_tables(platform),
        *(lack for function in functions for lack in _of(platform, function)),
    ]
    # Several functions may lack the same bucket.
    return [f"{lack}: {_MENDS}" for lack in dict.fromkeys(found)]


def _of(platform: Platform, function: Function) -> Iterator[str]:
    yield from _buckets(platform, function)
    if isinstance(function, EventFunction):
        yield from _queue(platform, function)
    if server := server_of(platform.settings.store):
        yield from server.lacking(platform, function)


def _tables(platform: Platform) -> Iterator[str]:
    if not platform.records.provisioned():
        yield "the database lacks tables of the newest schema"


def _buckets(platform: Platform, function: Function) -> Iterator[str]:
    for role in buckets_of(function):
        name = getattr(platform.settings.buckets, role)
        versioned = role == VERSIONED
        if not platform.store.provisioned(name, versioned=versioned):
            yield f"bucket {name} is missing, or has{' no' * versioned} versions"


def _queue(platform: Platform, function: EventFunction[Any]) -> Iterator[str]:
    if not platform.broker.provisioned(function.name, routing_key(function.listens)):
        yield f"queue {function.name} is missing, incomplete or not bound"
