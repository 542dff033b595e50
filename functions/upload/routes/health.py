"""Routes: is this process alive, and can it do its work?"""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from functions.upload.refusals import Code, needing
from functions.upload.routes.given import Ctx, problems

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Store and database answer."""

    status: Literal["ready"] = "ready"


@router.head("/livez", include_in_schema=False)
@router.get("/livez")
async def live() -> Alive:
    """Say that this process answers, whatever it depends on does."""
    return Alive()


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz", responses=problems(Code.STORE_UNAVAILABLE, Code.DATABASE_UNAVAILABLE)
)
def ready(ctx: Ctx) -> Ready:
    """Say whether the store and the database answer."""
    with needing(Code.STORE_UNAVAILABLE):
        ctx.store.ping()
    with needing(Code.DATABASE_UNAVAILABLE):
        ctx.records.ping()
    return Ready()
