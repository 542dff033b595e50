"""The metadata function's handler: record what a clean copy is."""

from functions.metadata.core import describe
from functions.metadata.settings import MetadataSettings
from schemas.assets import Asset
from schemas.doors import clean_asset_id, clean_key
from schemas.errors import AssetNotFound, ObjectNotFound, Rejected, SandboxFailure
from schemas.events import ObjectCreated
from schemas.facts import Described, DescriptionFailed
from schemas.functions import Context, Outcome
from schemas.objects import ObjectInfo

Ctx = Context[MetadataSettings]


def handle(event: ObjectCreated, ctx: Ctx) -> Outcome:
    """Describe a clean object from its own bytes. Safe to run twice.

    The event regularly overtakes the sanitizer's own note, so an asset whose path is
    still pending is described all the same.
    """
    asset_id = clean_asset_id(event.ref.key)
    if event.ref.bucket != ctx.settings.buckets.clean or asset_id is None:
        return Outcome.STALE
    try:
        asset = ctx.records.get(asset_id)
        foreign = event.ref.key != _path_of(asset)
        if foreign or asset.description or asset.facts.withdrawn:
            return Outcome.STALE
        info = ctx.store.head(event.ref)
        noted = ctx.records.note(asset_id, _describe(info, ctx))
    except (AssetNotFound, ObjectNotFound):
        return Outcome.STALE
    return Outcome.DONE if noted.changed else Outcome.STALE


def _path_of(asset: Asset) -> str:
    """Return the only clean key of an asset: a forged event names others."""
    if asset.path != "pending":
        return asset.path
    return clean_key(asset.project_id, asset.id, asset.filename)


def _describe(info: ObjectInfo, ctx: Ctx) -> Described | DescriptionFailed:
    media_type = info.metadata.get("media-type", info.media_type)
    try:
        reader = ctx.store.ranges(info.ref)
        return Described(ctx.sandbox.run(describe, reader, media_type))
    except Rejected as exc:
        return DescriptionFailed(exc.detail or exc.reason)
    except SandboxFailure as exc:
        if not ctx.last_attempt:
            raise
        return DescriptionFailed(f"the file could not be read ({exc.reason})")
