"""Whether store and database can be worked with."""

from typing import Protocol

from schemas.errors import TransientError
from schemas.ports import AssetRecords, ObjectStore


class Ports(Protocol):
    """What a handler's effects need: a Context or a Platform."""

    @property
    def store(self) -> ObjectStore: ...

    @property
    def records(self) -> AssetRecords: ...


def outage(ports: Ports) -> TransientError | None:
    """Return why the store or the database can't be worked with, if so."""
    try:
        ports.store.ping()
        ports.records.ping()
    except TransientError as exc:  # a database that others lock answers with Conflict
        return exc
    return None
