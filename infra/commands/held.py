"""held list, release and reject."""

from uuid import UUID

import click

from infra.commands.output import asset_row, json_option, show_rows
from infra.commands.session import NotDone, Session, pass_session
from infra.replay import every_asset
from schemas.assets import Asset
from schemas.events import created
from schemas.facts import Fact, Refused, Released
from schemas.lifecycle import Status
from schemas.objects import ObjectRef
from schemas.ports import AssetQuery

_COLUMNS = ("id", "project_id", "filename", "reason", "media_type", "updated_at")
_asset_ids = click.argument("asset_ids", nargs=-1, required=True, type=click.UUID)


@click.group()
def held() -> None:
    """Files that wait for somebody's decision."""


@held.command("list")
@json_option
@pass_session
def list_held(session: Session, *, as_json: bool) -> None:
    """List held files, oldest first."""
    found = every_asset(session.platform.records, AssetQuery(status=Status.HELD))
    show_rows(map(asset_row, found), _COLUMNS, as_json=as_json)


@held.command()
@_asset_ids
@pass_session
def release(session: Session, *, asset_ids: tuple[UUID, ...]) -> None:
    """Let held files pass, untouched as they are."""
    for asset_id in asset_ids:
        asset = _decide(session, asset_id, Released())
        info = session.platform.store.head(_quarantined(session, asset))
        session.platform.announce(created(info))


@held.command()
@_asset_ids
@pass_session
def reject(session: Session, *, asset_ids: tuple[UUID, ...]) -> None:
    """Refuse held files and delete their bytes."""
    for asset_id in asset_ids:
        asset = _decide(session, asset_id, Refused("rejected_by_operator"))
        session.platform.store.delete(_quarantined(session, asset))


def _decide(session: Session, asset_id: UUID, fact: Fact) -> Asset:
    records = session.platform.records
    asset = records.get(asset_id)
    if asset.status == Status.HELD:
        noted = records.note(asset_id, fact)
        if noted.changed:
            return noted.asset
        asset = noted.asset  # somebody else decided meanwhile
    raise NotDone(f"{asset_id} is {asset.status}, not held")


def _quarantined(session: Session, asset: Asset) -> ObjectRef:
    bucket = session.platform.settings.quarantine_bucket
    return ObjectRef(bucket, asset.source_key, asset.source_version)
