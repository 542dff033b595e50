"""Replay: events made again from the bucket, the journal, the records or dead letters.

What is replayed goes to one function's queue. Handlers are safe to run twice, so a
replay that is interrupted is simply run again.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from infra.platform import Platform
from schemas.assets import Asset
from schemas.doors import clean_asset_id, source_of
from schemas.errors import AssetNotFound, MalformedEvent, ObjectNotFound
from schemas.events import ObjectCreated, created, parse
from schemas.lifecycle import UNDECIDED, Status
from schemas.objects import ObjectRef
from schemas.ports import AssetQuery, AssetRecords, Broker, Delivery, Message

log = logging.getLogger(__name__)
_WAIT = timedelta(seconds=2)


@dataclass(frozen=True)
class Selection:
    """Which events: all that match every given field.

    Attributes:
        since, until: by the journal's time, a dead letter's failure, else the
            creation of the event's record; from *since* to before *until*.
        prefix: of the object's key.
        status: of the event's record.
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

    def spans(self, moment: datetime | None) -> bool:
        """Whether *moment* lies in the selected time."""
        if self.since is None and self.until is None:
            return True
        if moment is None:
            return False
        early = self.since is not None and moment < self.since
        late = self.until is not None and moment >= self.until
        return not (early or late)


def events_from(
    origin: str, platform: Platform, selection: Selection
) -> Iterator[ObjectCreated]:
    """Return the selected events of *origin*: bucket, journal or records."""
    origins = {"bucket": _bucket, "journal": _journal, "records": _records}
    # The journal has times of its own; it alone is older than the records.
    by_record = replace(selection, since=None, until=None)
    by_record = by_record if origin == "journal" else selection
    return (
        event
        for event in origins[origin](platform, selection)
        if selection.picks(event) and _remembered(platform, by_record, event)
    )


def every_asset(records: AssetRecords, query: AssetQuery) -> Iterator[Asset]:
    """Return all assets that match *query*, page by page."""
    while True:
        page, cursor = records.page(query)
        yield from page
        if cursor is None:
            return
        query = replace(query, cursor=cursor)


def dead_letters(broker: Broker, function: str) -> Iterator[Delivery]:
    """Hand out a function's dead letters; what is not settled stays where it is.

    Raises:
        QueueNotFound: nothing was provisioned.
    """
    queue = f"{function}.dead"
    depth = broker.depths().get(queue)
    there = depth.ready if depth else 0
    with broker.subscribe(queue, prefetch=max(1, there)) as subscription:
        for _ in range(there):
            delivery = subscription.receive(_WAIT)
            if delivery is None:
                return
            yield delivery


def picks_letter(platform: Platform, selection: Selection, letter: Delivery) -> bool:
    """Whether *selection* has a dead letter in it; what is no event has no asset."""
    if selection == Selection():
        return True
    if not selection.spans(_failed_at(letter.message)):
        return False
    by_record = replace(selection, since=None, until=None)
    return any(
        selection.picks(event) and _remembered(platform, by_record, event)
        for event in _events(letter.message)
    )


def _failed_at(message: Message) -> datetime | None:
    try:
        moment = datetime.fromisoformat(message.headers.get("x-failed-at", ""))
    except ValueError:
        return None  # nobody but a broker has to write it right
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
        yield from _events(message)


def _events(message: Message) -> list[ObjectCreated]:
    try:
        return parse(message.body)
    except MalformedEvent as exc:
        # One of them must not keep all that were published after it from replay.
        log.warning("no_event", extra={"position": message.position, "cause": str(exc)})
        return []


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


def _remembered(platform: Platform, selection: Selection, event: ObjectCreated) -> bool:
    """Whether the event's record matches, where a status or a time is asked for."""
    if (selection.status, selection.since, selection.until) == (None, None, None):
        return True
    asset_id = _asset_id(event.ref)
    try:
        asset = platform.records.get(asset_id) if asset_id else None
    except AssetNotFound:
        return False
    if asset is None or selection.status not in (None, asset.status):
        return False
    return selection.spans(asset.created_at)


def _place(platform: Platform, asset: Asset) -> ObjectRef:
    buckets = platform.settings.buckets
    if asset.promotion in UNDECIDED:
        return ObjectRef(buckets.quarantine, asset.source_key, asset.source_version)
    return ObjectRef(buckets.clean, asset.path)


def _asset_id(ref: ObjectRef) -> UUID | None:
    source = source_of(ref)
    return source.asset_id if source else clean_asset_id(ref.key)
