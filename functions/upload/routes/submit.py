"""Routes: handing a file in."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from functions.upload.pace import paced
from functions.upload.refusals import Code
from functions.upload.routes.given import Ctx, TheIntake, problems
from functions.upload.submission import Submission, UploadRequest

router = APIRouter(tags=["submit"])


class Accepted(BaseModel):
    """The file is in quarantine; GET /assets/{id} tells what becomes of it."""

    asset_id: UUID
    status: Literal["processing"] = "processing"


class UploadPost(BaseModel):
    """Send a multipart form to *url*: *fields* first, the part `file` last."""

    method: Literal["post"]
    url: str
    fields: dict[str, str]


class UploadPut(BaseModel):
    """Send the bytes to *url* with *headers*."""

    method: Literal["put"]
    url: str
    headers: dict[str, str]


class Granted(BaseModel):
    """How to send the file, and until when that works."""

    asset_id: UUID
    upload: UploadPost | UploadPut
    expires_at: datetime


def _form_schema() -> dict[str, Any]:
    schema = Submission.model_json_schema()
    properties = {
        "user_consent": {"type": "string", "description": "`true`, in any case"},
        **schema["properties"],
        "file": {"type": "string", "format": "binary"},
    }
    return {
        "type": "object",
        "required": ["project_id", "user_consent", "file"],
        "properties": properties,
    }


def _body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    content = {media_type: {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


_UNAVAILABLE = (Code.DATABASE_UNAVAILABLE, Code.STORE_UNAVAILABLE)
_FIELDS = (Code.FIELD_MISSING, Code.FIELD_REPEATED, Code.FIELD_INVALID)
_COMMON = (
    Code.CONSENT_MISSING,
    Code.BODY_MALFORMED,
    Code.BODY_INCOMPLETE,
    Code.PROJECT_UNKNOWN,
    Code.BODY_TOO_SLOW,
    Code.TOO_LARGE,
    Code.UNSUPPORTED_MEDIA_TYPE,
    *_FIELDS,
    Code.FILE_EMPTY,
    *_UNAVAILABLE,
)


@router.post("/assets/", status_code=202, include_in_schema=False)
@router.post(
    "/assets",
    status_code=202,
    openapi_extra=_body("multipart/form-data", _form_schema()),
    responses=problems(
        *_COMMON, Code.FIELD_MISPLACED, Code.FILE_MISSING, Code.DISK_UNAVAILABLE
    ),
)
async def submit(
    request: Request, response: Response, ctx: Ctx, intake: TheIntake
) -> Accepted:
    """Hand a file in, with consent, in one multipart form.

    Put all fields before the file: then it is streamed. A file that comes before
    `user_consent` or `project_id` is held back until they are there. Unknown fields
    are ignored.
    """
    length = request.headers.get("content-length")
    asset_id = await intake.form(
        request.headers.get("content-type", ""),
        int(length) if length and length.isdecimal() else None,
        _paced(request, ctx),
    )
    response.headers["location"] = f"/assets/{asset_id}"
    return Accepted(asset_id=asset_id)


@router.post("/uploads/", status_code=201, include_in_schema=False)
@router.post(
    "/uploads",
    status_code=201,
    openapi_extra=_body("application/json", UploadRequest.model_json_schema()),
    responses=problems(*_COMMON),
)
async def grant(
    request: Request, response: Response, ctx: Ctx, intake: TheIntake
) -> Granted:
    """Get a URL to send a file to, past this server, once and for one file only."""
    asset_id, upload, expires_at = await intake.grant(
        request.headers.get("content-type", ""), _paced(request, ctx)
    )
    way = UploadPost if upload.method == "post" else UploadPut
    response.headers["location"] = f"/assets/{asset_id}"
    return Granted(
        asset_id=asset_id,
        upload=way.model_validate(upload, from_attributes=True),
        expires_at=expires_at,
    )


def _paced(request: Request, ctx: Ctx) -> Any:
    settings = ctx.settings
    return paced(
        request.stream(), stall_s=settings.stall_s, transfer_s=settings.transfer_s
    )
