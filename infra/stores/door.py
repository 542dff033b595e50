"""The HTTP door of the embedded store: presigned PUT, POST and GET, nothing else.

    PUT, GET  /<bucket>/<key>?policy=…&signature=…
    POST      /<bucket>     a form: the signed fields, then the part `file`

Errors are `{"detail": …}` with a stable code in the header X-Pratique-Error.
"""

from collections.abc import AsyncIterator, Mapping
from typing import BinaryIO, Protocol

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from functions.upload.body import BodyReader, next_chunk
from functions.upload.form import FilePart, FormError, FormLimits, read_form
from infra.stores.download import download
from infra.stores.signing import META, Grant, Refused, Signer
from schemas.errors import ObjectNotFound, Unavailable
from schemas.objects import ObjectInfo, ObjectRef, RangedReader

# Each upload in progress holds a thread; more of them wait, and nobody else does.
_UPLOADS_AT_ONCE = 64
_STALL_S = 60.0
# What is read of a refused body, so that its sender sees the answer and no reset.
_DRAIN_BYTES = 8 << 20
_DRAIN_S = 5.0
_ANSWERED = (Refused, FormError, ObjectNotFound, Unavailable, HTTPException)
_FORM_STATUS = {"unsupported_media_type": 415, "too_large": 413}


class Shelf(Protocol):
    """What the door needs of its store."""

    def receive(self, grant: Grant, stream: BinaryIO) -> ObjectInfo:
        """Store what came through a presigned upload."""

    def head(self, ref: ObjectRef) -> ObjectInfo:
        """See ObjectStore."""

    def ranges(self, ref: ObjectRef) -> RangedReader:
        """See ObjectStore."""


def open_door(shelf: Shelf, signer: Signer) -> Starlette:
    """Return the app that serves what *signer* has signed."""
    door = _Door(shelf, signer)
    return Starlette(
        routes=[
            Route("/{bucket}", door.post, methods=["POST"]),
            Route("/{bucket}/{key:path}", door.put, methods=["PUT"]),
            Route("/{bucket}/{key:path}", door.get, methods=["GET"]),
        ],
        exception_handlers=dict.fromkeys(_ANSWERED, _refuse),
    )


class _Door:
    def __init__(self, shelf: Shelf, signer: Signer) -> None:
        self._shelf = shelf
        self._signer = signer
        self._uploads = anyio.CapacityLimiter(_UPLOADS_AT_ONCE)

    def get(self, request: Request) -> Response:
        grant = self._granted_by_url(request)
        reader = self._shelf.ranges(grant.ref)
        info = self._shelf.head(grant.ref)
        return download(info, reader, grant.filename, request.headers.get("range"))

    async def put(self, request: Request) -> Response:
        grant = self._granted_by_url(request)
        _check_headers(request, grant)
        await self._receive(grant, _body(request))
        return Response(status_code=200)

    async def post(self, request: Request) -> Response:
        content_type = request.headers.get("content-type", "")
        # The policy says how long the file may be, and it is checked below.
        limits = FormLimits(total_bytes=1 << 62)
        parts = read_form(content_type, _body(request), limits)
        fields: dict[str, str] = {}
        async for part in parts:
            if isinstance(part, FilePart):
                grant = self._granted_by_form(request, part, fields)
                await self._receive(grant, _alone(part, parts))
                return Response(status_code=204)
            if part.name.lower() in fields:
                raise Refused(400, "field_invalid", "The form has a field twice.")
            fields[part.name.lower()] = part.value
        raise Refused(400, "field_missing", "The form has no file.")

    def _granted_by_url(self, request: Request) -> Grant:
        query = request.query_params
        grant = self._signer.granted(
            request.method, query.get("policy", ""), query.get("signature", "")
        )
        path = request.path_params
        if (grant.bucket, grant.key) != (path["bucket"], path["key"]):
            raise Refused(403, "signature_invalid", "The URL is for another object.")
        return grant

    def _granted_by_form(
        self, request: Request, part: FilePart, fields: Mapping[str, str]
    ) -> Grant:
        policy, signature = fields.get("policy", ""), fields.get("x-signature", "")
        grant = self._signer.granted("POST", policy, signature)
        signed = {"policy": policy, "x-signature": signature, "key": grant.key}
        allowed = signed | {k.lower(): v for k, v in grant.headers.items()}
        bucket = request.path_params["bucket"]
        if part.name != "file" or fields != allowed or bucket != grant.bucket:
            raise Refused(403, "policy_violated", "The form is not what was signed.")
        return grant

    async def _receive(self, grant: Grant, chunks: AsyncIterator[bytes]) -> None:
        stream = BodyReader(_measured(chunks, grant)).buffered()
        await anyio.to_thread.run_sync(
            self._shelf.receive, grant, stream, limiter=self._uploads
        )


def _check_headers(request: Request, grant: Grant) -> None:
    length = request.headers.get("content-length")
    if length is None:
        raise Refused(411, "length_required", "Content-Length is missing.")
    if length != str(grant.max_bytes):
        raise Refused(400, "size_mismatch", f"{grant.max_bytes} bytes were signed.")
    if request.headers.getlist("content-type") != [grant.media_type]:
        raise Refused(403, "type_mismatch", f"{grant.media_type} was signed.")
    given = [(k, v) for k, v in request.headers.items() if k.startswith(META)]
    if sorted(given) != sorted((META + k, v) for k, v in grant.metadata.items()):
        raise Refused(403, "metadata_mismatch", "Other metadata was signed.")


def _body(request: Request) -> AsyncIterator[bytes]:
    """Return the one iterator over a request's body: what is left can be drained."""
    body = _patient(request.stream())
    request.state.body = body
    return body


async def _patient(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield a body's chunks, refusing one that stalls or breaks off."""
    while True:
        try:
            with anyio.fail_after(_STALL_S):
                chunk = await next_chunk(body)
        except TimeoutError as exc:
            raise Refused(408, "body_stalled", "The body stopped coming.") from exc
        except ClientDisconnect as exc:
            raise Refused(400, "body_incomplete", "The body broke off.") from exc
        if not chunk:
            return
        yield chunk


async def _measured(chunks: AsyncIterator[bytes], grant: Grant) -> AsyncIterator[bytes]:
    """Yield a file's chunks, refusing it as soon as its size is not what was signed."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > grant.max_bytes:
            limit = grant.max_bytes
            raise Refused(413, "too_large", f"More than {limit} bytes were sent.")
        yield chunk
    if size < grant.min_bytes:
        raise Refused(400, "too_small", f"Less than {grant.min_bytes} bytes were sent.")


async def _alone(part: FilePart, parts: AsyncIterator[object]) -> AsyncIterator[bytes]:
    """Yield a file's chunks, which end only once the form is known to end well."""
    async for chunk in part.chunks:
        yield chunk
    async for _ in parts:
        raise Refused(400, "field_after_file", "The file has to be the last field.")


async def _refuse(request: Request, exc: Exception) -> Response:
    refused = _refusal(exc)
    headers = {"X-Pratique-Error": refused.code, **refused.headers}
    if not await _drained(request):
        headers["Connection"] = "close"
    return JSONResponse({"detail": refused.detail}, refused.status, headers)


def _refusal(exc: Exception) -> Refused:
    """Return how an error is answered."""
    match exc:
        case Refused():
            return exc
        case FormError():
            return Refused(_FORM_STATUS.get(exc.code, 400), exc.code, exc.detail)
        case ObjectNotFound():
            return Refused(404, exc.code, "There is no such object.")
        case Unavailable():
            wait = {"Retry-After": "5"}
            return Refused(503, exc.code, "The store is not available.", wait)
        case HTTPException():
            code = exc.detail.lower().replace(" ", "_")  # "Method Not Allowed"
            return Refused(exc.status_code, code, exc.detail, exc.headers)
    raise exc


async def _drained(request: Request) -> bool:
    """Read a bounded rest of the body; return whether that was all."""
    if "expect" in request.headers and not hasattr(request.state, "body"):
        return False  # the client asked before it sends: it need not send
    body = request.state.body if hasattr(request.state, "body") else _body(request)
    left = _DRAIN_BYTES
    with anyio.move_on_after(_DRAIN_S):
        while left > 0:
            chunk = await next_chunk(body)
            if not chunk:
                return True
            left -= len(chunk)
    return False
