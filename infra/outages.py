"""Whether store and database can be worked with."""

import time
from typing import Protocol

from schemas.errors import TransientError
from schemas.ports import AssetRecords, ObjectStore

_SECOND_LOOK_S = 0.2


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


def outage_behind_failure(ports: Ports) -> TransientError | None:
    """Look twice: a server that is being killed may still answer for a moment."""
    if down := outage(ports):
        return down
    time.sleep(_SECOND_LOOK_S)
    return outage(ports)
