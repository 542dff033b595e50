"""Replay: events made again from the bucket, the journal, the records or dead letters.

What is replayed goes to one function's queue. Handlers are safe to run twice, so a
replay that is interrupted is simply run again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from infra.platform import Platform
from schemas.assets import Asset
from schemas.doors import clean_asset_id, source_of
from schemas.errors import ObjectNotFound
from schemas.events import ObjectCreated, created, parse
from schemas.lifecycle import UNDECIDED, Status
from schemas.objects import ObjectRef
from schemas.ports import AssetQuery, AssetRecords, Broker, Delivery, Message

_WAIT = timedelta(seconds=2)


@dataclass(frozen=True)
class Selection:
    """Which events: all that match every given field.

    Attributes:
        since, until: by the journal's time, or the record's creation.
        prefix: of the object's key.
    """

    since: datetime | None = None
    until: datetime | None = None
    prefix: str = ""
    status: Status | None = None
    asset_id: UUID | None = None

    def picks(self, event: ObjectCreated) -> bool:
        """Whether key and asset of *event* match."""
        if not event.ref.key.startswith(self.prefix):
            return False
        return self.asset_id is None or _asset_id(event.ref) == self.asset_id


def events_from(
    origin: str, platform: Platform, selection: Selection
) -> Iterator[ObjectCreated]:
    """Return the selected events of *origin*: bucket, journal or records."""
    origins = {"bucket": _bucket, "journal": _journal, "records": _records}
    found = origins[origin](platform, selection)
    return (event for event in found if selection.picks(event))


def every_asset(records: AssetRecords, query: AssetQuery) -> Iterator[Asset]:
    """Return all assets that match *query*, page by page."""
    while True:
        page, cursor = records.page(query)
        yield from page
        if cursor is None:
            return
        query = replace(query, cursor=cursor)


def dead_letters(broker: Broker, function: str) -> Iterator[Delivery]:
    """Hand out a function's dead letters; what is not settled stays where it is."""
    queue = f"{function}.dead"
    there = broker.depths()[queue].ready
    with broker.subscribe(queue, prefetch=max(1, there)) as subscription:
        for _ in range(there):
            delivery = subscription.receive(_WAIT)
            if delivery is None:
                return
            yield delivery


def redrive(broker: Broker, function: str, delivery: Delivery) -> None:
    """Send a dead letter to its function again, as if for the first time."""
    dead = delivery.message
    headers = {**dead.headers, "x-replay": "true"}
    broker.send(function, Message(dead.body, key=dead.key, headers=headers))
    delivery.ack()


def _bucket(platform: Platform, selection: Selection) -> Iterator[ObjectCreated]:
    buckets = platform.settings.buckets
    for bucket in (buckets.quarantine, buckets.clean):
        for info in platform.store.list(bucket, selection.prefix):
            if not info.marker:
                yield created(info)


def _journal(platform: Platform, selection: Selection) -> Iterator[ObjectCreated]:
    for message in platform.broker.history(selection.since, selection.until):
        yield from parse(message.body)


def _records(platform: Platform, selection: Selection) -> Iterator[ObjectCreated]:
    if selection.asset_id is not None:
        assets = iter([platform.records.get(selection.asset_id)])
    else:
        query = AssetQuery(
            status=selection.status, since=selection.since, until=selection.until
        )
        assets = every_asset(platform.records, query)
    for asset in assets:
        try:
            yield created(platform.store.head(_place(platform, asset)))
        except ObjectNotFound:
            continue  # nothing is left that an event could be about


def _place(platform: Platform, asset: Asset) -> ObjectRef:
    buckets = platform.settings.buckets
    if asset.promotion in UNDECIDED:
        return ObjectRef(buckets.quarantine, asset.source_key, asset.source_version)
    return ObjectRef(buckets.clean, asset.path)


def _asset_id(ref: ObjectRef) -> UUID | None:
    source = source_of(ref)
    return source.asset_id if source else clean_asset_id(ref.key)
