"""The sanitizer's handler: judge a quarantined object and promote its clean copy.

Order of effects: the clean bytes are written, the record advances, the quarantined
version goes. A crash between two of them is mended by the next delivery.
"""

import hashlib
import logging
from tempfile import TemporaryFile
from typing import BinaryIO

from functions.sanitizer.core import SANITIZER_VERSION, Sanitized, sanitize
from functions.sanitizer.promotion import digest, metadata_of, promoted_from, promotion
from functions.sanitizer.settings import SanitizerSettings
from schemas.assets import Asset, Project
from schemas.doors import adopt, clean_key, source_of
from schemas.errors import (
    AssetNotFound,
    ObjectExists,
    ObjectNotFound,
    Rejected,
    SandboxFailure,
    TransientError,
)
from schemas.events import ObjectCreated
from schemas.facts import Arrived, Held, Promoted, Refused
from schemas.functions import Context, Outcome
from schemas.lifecycle import ConsentState, Promotion
from schemas.objects import ObjectInfo, ObjectRef

log = logging.getLogger(__name__)
_BLOCK = 1 << 20
Ctx = Context[SanitizerSettings]


def handle(event: ObjectCreated, ctx: Ctx) -> Outcome:
    """Rebuild what arrived, verify it and promote it. Safe to run twice."""
    if event.ref.bucket != ctx.settings.buckets.quarantine:
        return Outcome.STALE
    try:
        info = ctx.store.head(event.ref)
        return _judge(event, info, ctx)
    except ObjectNotFound:
        return Outcome.STALE  # finished by another delivery, or a forged event


def _judge(event: ObjectCreated, info: ObjectInfo, ctx: Ctx) -> Outcome:
    if source_of(info.ref) is None:
        log.warning("stray_object", extra={"bucket": info.ref.bucket})
        return Outcome.STALE
    asset = _asset_of(event, info, ctx)
    if asset is None or not asset.awaits(info.ref.version):
        if asset is not None and asset.withdrawn_at:
            _forget(clean_key(asset.project_id, asset.id, asset.filename), ctx)
        ctx.store.delete(info.ref)
        return Outcome.STALE
    if asset.promotion == Promotion.HELD:
        return Outcome.PARKED
    if asset.consent != ConsentState.GIVEN:
        ctx.records.note(asset.id, _arrived(info.ref, ctx))
        return Outcome.PARKED
    return _clear(asset, info, ctx)


def _asset_of(event: ObjectCreated, info: ObjectInfo, ctx: Ctx) -> Asset | None:
    source = source_of(info.ref)
    assert source is not None
    try:
        return ctx.records.get(source.asset_id)
    except AssetNotFound:
        if not source.dropped:
            return None  # an upload without a row: nobody agreed to it
    asset, consent = adopt(info, ctx.clock(), copied=event.way == "Copy")
    return ctx.records.admit(asset, consent)


def _clear(asset: Asset, info: ObjectInfo, ctx: Ctx) -> Outcome:
    if info.size_bytes == 0 or info.size_bytes > ctx.settings.max_bytes:
        reason = "file_empty" if info.size_bytes == 0 else "too_large"
        return _refuse(asset, info.ref, Refused(reason), ctx)
    directory = ctx.settings.tmp_dir
    with TemporaryFile(dir=directory) as source, TemporaryFile(dir=directory) as output:
        source_sha256 = _fetch(info.ref, source, ctx)
        result = _sanitize(asset, source, output, ctx)
        if result.reason == "verification_failed":
            log.error("verification_failed", extra={"carriers": result.detail})
        if result.verdict in ("rejected", "held"):
            return _refuse(asset, info.ref, _refusal(result, source_sha256), ctx)
        sha256, size_bytes = digest(output)
        promoted = promotion(
            asset,
            result,
            source_sha256=source_sha256,
            sha256=sha256,
            size_bytes=size_bytes,
        )
        promoted = _store(asset, promoted, output, ctx)
    noted = ctx.records.note(asset.id, _arrived(info.ref, ctx), promoted)
    if noted.asset.withdrawn_at:  # while the copy was made
        _forget(promoted.path, ctx)
    ctx.store.delete(info.ref)
    return Outcome.STALE if noted.asset.withdrawn_at else Outcome.DONE


def _forget(key: str, ctx: Ctx) -> None:
    ctx.store.delete(ObjectRef(ctx.settings.buckets.clean, key))


def _fetch(ref: ObjectRef, into: BinaryIO, ctx: Ctx) -> str:
    """Copy the object once; what is hashed is what will be inspected."""
    sha256 = hashlib.sha256()
    with ctx.store.open(ref) as stream:
        while block := stream.read(_BLOCK):
            sha256.update(block)
            into.write(block)
    into.seek(0)
    return sha256.hexdigest()


def _sanitize(asset: Asset, source: BinaryIO, output: BinaryIO, ctx: Ctx) -> Sanitized:
    project = ctx.records.project(asset.project_id) or Project(id=asset.project_id)
    released = asset.promotion == Promotion.RELEASED
    policy = project.policy.model_copy(update={"released": released})
    try:
        return ctx.sandbox.run(sanitize, source, output, policy, ctx.settings.limits)
    except Rejected as exc:
        return _rejected(exc.reason, exc.detail)
    except SandboxFailure as exc:
        if not ctx.last_attempt:
            raise
        return _rejected(exc.reason, exc.detail)


def _rejected(reason: str, detail: str) -> Sanitized:
    return Sanitized(
        verdict="rejected",
        media_type="application/octet-stream",
        reason=reason,
        detail=detail,
    )


def _refusal(result: Sanitized, source_sha256: str) -> Refused:
    kind = Held if result.verdict == "held" else Refused
    return kind(
        result.reason or "unknown", result.media_type, source_sha256, SANITIZER_VERSION
    )


def _refuse(asset: Asset, ref: ObjectRef, refused: Refused, ctx: Ctx) -> Outcome:
    ctx.records.note(asset.id, _arrived(ref, ctx), refused)
    if refused.value is Promotion.HELD:
        return Outcome.PARKED
    ctx.store.delete(ref)
    return Outcome.REJECTED


def _store(asset: Asset, promoted: Promoted, output: BinaryIO, ctx: Ctx) -> Promoted:
    """Write the clean object once; return what the clean bucket then holds."""
    ref = ObjectRef(ctx.settings.buckets.clean, promoted.path)
    # What passed untouched is served as a download of no type: no browser runs it.
    clean = promoted.verdict == "clean"
    media_type = promoted.media_type if clean else "application/octet-stream"
    output.seek(0)
    try:
        ctx.store.put_once(
            ref,
            output,
            size_bytes=promoted.size_bytes,
            media_type=media_type,
            metadata=metadata_of(asset, promoted),
        )
    except ObjectExists as exc:
        there = ctx.store.head(ref)
        if there.metadata.get("source-sha256") != promoted.source_sha256:
            # Two versions raced, or a foreign object: whoever wrote it must finish.
            raise TransientError(f"{ref} holds another source's bytes") from exc
        return promoted_from(there)
    return promoted


def _arrived(ref: ObjectRef, ctx: Ctx) -> Arrived:
    return Arrived(ctx.clock(), ref.version)
