"""The janitor: events get lost, so it looks at the bucket and at the records.

A pass has two halves. It takes the records that are due and announces them again, or
expires them. Then it walks the quarantine, adopts drops that nobody announced, notes
uploads that arrived unseen and collects versions that have had their day. Any number
of janitors may run: every step is a compare-and-set or safe to repeat.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from functions.janitor.settings import JanitorSettings
from schemas.assets import Asset
from schemas.doors import adopt, source_of
from schemas.errors import (
    AssetNotFound,
    ObjectNotFound,
    PratiqueError,
    Unavailable,
)
from schemas.events import created
from schemas.facts import Arrived, Expired, Faulted
from schemas.functions import Context
from schemas.lifecycle import Status
from schemas.objects import ObjectInfo, ObjectRef

log = logging.getLogger(__name__)
Ctx = Context[JanitorSettings]
T = TypeVar("T", Asset, ObjectInfo)


def run(ctx: Ctx) -> dict[str, int]:
    """Make one pass; return how often each thing was done. Safe to run twice."""
    done: Counter[str] = Counter()
    # First what is bounded: a long walk must not keep anybody waiting.
    for asset in ctx.records.due(ctx.clock(), ctx.settings.batch):
        done[_passing(_remind, asset, ctx)] += 1
    for info in ctx.store.list(ctx.settings.buckets.quarantine):
        done[_passing(_tend, info, ctx)] += 1
    return dict(done)


def _passing(step: Callable[[T, Ctx], str], subject: T, ctx: Ctx) -> str:
    """Do one step of a pass; what can't be done stops none of the others."""
    try:
        return step(subject, ctx)
    except Unavailable:
        raise  # nor could the others
    except PratiqueError as exc:
        asset = subject.id if isinstance(subject, Asset) else source_of(subject.ref)
        log.warning("passed_over", extra={"asset": str(asset), "cause": repr(exc)})
        return "passed_over"


def _tend(info: ObjectInfo, ctx: Ctx) -> str:
    source = source_of(info.ref)
    if source is None or info.marker:
        return "stray"
    try:
        asset = ctx.records.get(source.asset_id)
    except AssetNotFound:
        if not source.dropped:
            return _collect(info.ref, ctx)  # rows come first: nobody agreed to it
        info = ctx.store.head(info.ref)  # a listing has no metadata, so no consent
        asset = ctx.records.admit(*adopt(info, ctx.clock(), copied=False))
    if not asset.awaits(info.ref.version):
        return _collect(info.ref, ctx)
    if asset.arrived_at is not None:
        return "waiting"
    ctx.records.note(asset.id, Arrived(ctx.clock(), info.ref.version))
    return "arrived"


def _collect(ref: ObjectRef, ctx: Ctx) -> str:
    ctx.store.delete(ref)
    return "collected"


def _remind(asset: Asset, ctx: Ctx) -> str:
    # Whoever moves the moment announces: of many janitors one does.
    if not ctx.records.postpone(asset, _next_look(asset, ctx)):
        return "left_to_another"
    if asset.status == Status.PENDING:
        return _expire(asset, ctx)
    buckets = ctx.settings.buckets
    if asset.status == Status.SANITIZED:
        return _announce(asset, ObjectRef(buckets.clean, asset.path), ctx)
    if asset.status == Status.QUARANTINED:
        version = asset.source_version
        return _announce(
            asset, ObjectRef(buckets.quarantine, asset.source_key, version), ctx
        )
    return "waiting"


def _next_look(asset: Asset, ctx: Ctx) -> datetime:
    """Wait as long again as the asset has waited, within bounds: it doubles."""
    now = ctx.clock()
    assert asset.updated_at is not None
    waited = (now - asset.updated_at).total_seconds()
    bounded = min(max(waited, ctx.settings.min_backoff_s), ctx.settings.max_backoff_s)
    return now + timedelta(seconds=bounded)


def _announce(asset: Asset, ref: ObjectRef, ctx: Ctx) -> str:
    try:
        ctx.announce(created(ctx.store.head(ref)))
    except ObjectNotFound:
        # Kept only while the step is open: a worker that just finished wins.
        sanitized = asset.status == Status.SANITIZED
        fault = Faulted("description" if sanitized else "promotion", "object_missing")
        ctx.records.note(asset.id, fault)
        return "missing"
    return "announced"


def _expire(asset: Asset, ctx: Ctx) -> str:
    ref = ObjectRef(
        ctx.settings.buckets.quarantine, asset.source_key, asset.source_version
    )
    try:
        info = ctx.store.head(ref)
    except ObjectNotFound:
        ctx.records.note(asset.id, Expired(ctx.clock()))
        return "expired"
    ctx.records.note(asset.id, Arrived(ctx.clock(), info.ref.version))
    return "arrived"
