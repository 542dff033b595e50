"""upload, drop, show and list."""

import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from infra.client import Client, name_of
from infra.commands.output import (
    asset_row,
    json_option,
    progress,
    show_json,
    show_rows,
    text,
)
from infra.commands.session import Session, pass_session
from infra.platform import Platform
from infra.replay import every_asset
from schemas.doors import CONSENT_METADATA, is_project_id, source_of
from schemas.lifecycle import Status
from schemas.objects import ObjectRef
from schemas.ports import AssetQuery

_COLUMNS = ("id", "project_id", "door", "filename", "status", "reason", "fault")
_files = click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
_project = click.option("--project", "project_id", required=True)
_consent = click.option(
    "--consent", is_flag=True, help="The person whose file it is has agreed."
)


@click.command()
@_files
@_project
@_consent
@click.option("--presigned", is_flag=True, help="Send straight to the store.")
@click.option("--url", help="The HTTP API; default: PRATIQUE_PUBLIC_URL.")
@json_option
@pass_session
def upload(
    session: Session,
    *,
    files: tuple[Path, ...],
    project_id: str,
    consent: bool,
    presigned: bool,
    url: str | None,
    as_json: bool,
) -> None:
    """Upload files through the HTTP API of a running service."""
    rows: list[dict[str, Any]] = []
    columns = ("file", "asset_id", "status", "code", "error")
    with (
        Client(url or session.platform.public_url) as client,
        _shown(rows, columns, as_json=as_json),
    ):
        for path in files:
            send = client.presigned if presigned else client.form
            with progress(path.name, path.stat().st_size) as steps:
                answer = send(path, project_id, consent=consent, on_bytes=steps.reach)
            rows.append({"file": str(path), **answer})
    if any("error" in row for row in rows):
        raise SystemExit(1)


@click.command()
@_files
@_project
@_consent
@json_option
@pass_session
def drop(
    session: Session,
    *,
    files: tuple[Path, ...],
    project_id: str,
    consent: bool,
    as_json: bool,
) -> None:
    """Put files straight into the quarantine bucket, as a dropper would."""
    if not is_project_id(project_id):
        raise click.BadParameter("1 to 64 of A-Z a-z 0-9 . _ - are allowed")
    platform = session.platform
    rows: list[dict[str, Any]] = []
    with _shown(rows, ("file", "asset_id", "key"), as_json=as_json):
        for path in files:
            ref = _dropped(platform, path, project_id, consent=consent)
            source = source_of(ref)
            rows.append(
                {
                    "file": str(path),
                    "asset_id": str(source.asset_id) if source else None,
                    "key": ref.key,
                    "version": ref.version,
                }
            )


@contextmanager
def _shown(
    rows: list[dict[str, Any]], columns: Sequence[str], *, as_json: bool
) -> Iterator[None]:
    """Show *rows* at the end, also those that were done before an error."""
    try:
        yield
    finally:
        if rows:
            show_rows(rows, columns, as_json=as_json)


def _dropped(
    platform: Platform, path: Path, project_id: str, *, consent: bool
) -> ObjectRef:
    key = f"drops/{project_id}/{name_of(path)}"
    with path.open("rb") as stream:
        info = platform.store.put(
            ObjectRef(platform.settings.quarantine_bucket, key),
            stream,
            size_bytes=path.stat().st_size,
            media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            metadata={CONSENT_METADATA: "true"} if consent else {},
        )
    return info.ref


@click.command()
@click.argument("asset_id", type=click.UUID)
@json_option
@pass_session
def show(session: Session, *, asset_id: UUID, as_json: bool) -> None:
    """Show one asset and its timeline."""
    records = session.platform.records
    row = asset_row(records.get(asset_id))
    timeline = [
        {"revision": e.revision, "at": e.at, "status": e.status}
        for e in records.history(asset_id)
    ]
    if as_json:
        show_json({**row, "timeline": timeline})
        return
    for name, value in row.items():
        click.echo(f"{name:<18} {text(value)}")
    click.echo()
    show_rows(timeline, ("revision", "at", "status"), as_json=False)


@click.command("list")
@click.option("--project", "project_id")
@click.option("--status", type=click.Choice([str(s) for s in Status]))
@click.option("--reference")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True)
@json_option
@pass_session
def list_assets(
    session: Session,
    *,
    project_id: str | None,
    status: str | None,
    reference: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List assets, oldest first."""
    query = AssetQuery(
        project_id=project_id,
        status=Status(status) if status else None,
        reference=reference,
    )
    found = islice(every_asset(session.platform.records, query), limit)
    show_rows((asset_row(asset) for asset in found), _COLUMNS, as_json=as_json)
