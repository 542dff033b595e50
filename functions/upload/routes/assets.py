"""Routes: what became of a file, and its clean copy."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from functions.upload.refusals import Code, Refusal, needing
from functions.upload.routes.given import Ctx, once_each, problems
from functions.upload.submission import Label, ProjectId
from schemas.assets import Asset, AssetRead, Page
from schemas.errors import AssetNotFound
from schemas.lifecycle import Status
from schemas.objects import ObjectRef
from schemas.ports import AssetQuery

router = APIRouter(tags=["assets"], dependencies=[Depends(once_each)])

# Why there is no clean copy and never will be.
_GONE = {
    Status.REJECTED: Code.REJECTED,
    Status.EXPIRED: Code.EXPIRED,
    Status.RETIRED: Code.RETIRED,
    Status.ERASING: Code.ERASED,
    Status.ERASED: Code.ERASED,
}
_PROMOTED = (Status.SANITIZED, Status.PROCESSED, Status.ERROR_PROCESSING)


class Listing(BaseModel):
    """Which assets to list."""

    project_id: ProjectId
    status: Status | None = None
    reference: Label | None = None
    limit: int = Field(100, ge=1, le=1_000)
    cursor: str | None = Field(None, min_length=1, max_length=1_024)


@router.get("/assets/", include_in_schema=False)
@router.get(
    "/assets",
    responses=problems(
        Code.PROJECT_UNKNOWN,
        Code.FIELD_MISSING,
        Code.FIELD_REPEATED,
        Code.FIELD_INVALID,
        Code.DATABASE_UNAVAILABLE,
    ),
)
def list_assets(listing: Annotated[Listing, Query()], ctx: Ctx) -> Page:
    """Return a project's assets, oldest first, a page at a time."""
    with needing(Code.DATABASE_UNAVAILABLE):
        if ctx.settings.projects == "closed":
            _known(listing.project_id, ctx)
        try:
            assets, cursor = ctx.records.page(AssetQuery(**listing.model_dump()))
        except ValueError as exc:
            why = "no page gave this cursor"
            raise Refusal(Code.FIELD_INVALID, field="cursor", why=why) from exc
    items = [AssetRead.model_validate(asset) for asset in assets]
    return Page(items=items, cursor=cursor)


@router.get(
    "/assets/{asset_id}",
    responses=problems(
        Code.ASSET_UNKNOWN, Code.FIELD_REPEATED, Code.DATABASE_UNAVAILABLE
    ),
)
def read_asset(asset_id: str, ctx: Ctx) -> AssetRead:
    """Return the record of an asset."""
    return AssetRead.model_validate(_asset(asset_id, ctx))


@router.get(
    "/assets/{asset_id}/content",
    status_code=307,
    response_class=RedirectResponse,
    responses=problems(
        Code.ASSET_UNKNOWN,
        Code.NOT_READY,
        *dict.fromkeys(_GONE.values()),
        Code.FIELD_REPEATED,
        Code.DATABASE_UNAVAILABLE,
        Code.STORE_UNAVAILABLE,
    ),
)
def read_content(asset_id: str, ctx: Ctx) -> RedirectResponse:
    """Redirect to a link to the clean copy; it works for a short time."""
    asset = _asset(asset_id, ctx)
    status = Status(asset.status)
    if status in _GONE:
        raise Refusal(_GONE[status])
    if status not in _PROMOTED:
        raise Refusal(Code.NOT_READY, status=status.value)
    ref = ObjectRef(ctx.settings.buckets.clean, asset.path)
    expires = timedelta(seconds=ctx.settings.content_url_expires_s)
    with needing(Code.STORE_UNAVAILABLE):
        url = ctx.store.presign_get(ref, expires=expires, filename=asset.filename)
    return RedirectResponse(url, 307, {"cache-control": "no-store"})


def _asset(asset_id: str, ctx: Ctx) -> Asset:
    try:
        with needing(Code.DATABASE_UNAVAILABLE):
            return ctx.records.get(UUID(asset_id))
    except (ValueError, AssetNotFound) as exc:
        raise Refusal(Code.ASSET_UNKNOWN) from exc


def _known(project_id: str, ctx: Ctx) -> None:
    if ctx.records.project(project_id) is None:
        raise Refusal(Code.PROJECT_UNKNOWN)
