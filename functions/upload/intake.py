"""How a file comes in: consent, project, record, bytes, in this order."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, aclosing
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

import anyio
import anyio.to_thread

from functions.upload.admission import Admission
from functions.upload.body import next_chunk
from functions.upload.form import (
    BodyReader,
    Field,
    FilePart,
    FormLimits,
    read_form,
    read_urlencoded,
)
from functions.upload.headers import media_type_of
from functions.upload.refusals import Code, Refusal, needing
from functions.upload.settings import UploadSettings
from functions.upload.submission import (
    Fields,
    Submission,
    clean_filename,
    clean_media_type,
    parse_request,
)
from schemas.functions import Context
from schemas.objects import PresignedUpload

Parts = AsyncGenerator[Field | FilePart, None]
# What a form may have besides its file: fields, headers, boundaries.
_BESIDES_BYTES = 1 << 20
_JSON_BYTES = 64 << 10


class Intake:
    """Takes files in through the form, and grants upload URLs."""

    def __init__(self, ctx: Context[UploadSettings]) -> None:
        self._settings = ctx.settings
        self._admission = Admission(ctx)
        # Their own: slow uploads must not hold the threads that others wait for.
        self._transfers = anyio.CapacityLimiter(ctx.settings.max_transfers)

    async def form(
        self, content_type: str, length: int | None, body: AsyncIterator[bytes]
    ) -> UUID:
        """Take in a form's file; return the asset's id.

        Args:
            length: what Content-Length says.

        Raises:
            Refusal, FormError: nothing is stored, and no record stays pending.
        """
        async with aclosing(await self._parts(content_type, body)) as parts:
            fields = Fields()
            file = await _until_file(parts, fields)
            if file is None:
                fields.submission()
                raise Refusal(Code.FILE_MISSING)
            if fields.ready:
                return await self._pass_on(file, fields, parts, length)
            return await self._hold(file, fields, parts, length)

    async def grant(
        self, content_type: str, body: AsyncIterator[bytes]
    ) -> tuple[UUID, PresignedUpload, datetime]:
        """Answer the JSON wish for an upload URL.

        Raises:
            Refusal, FormError: nothing is on record.
        """
        raw = bytearray()
        while chunk := await next_chunk(body):
            raw += chunk
            if len(raw) > _JSON_BYTES:
                raise Refusal(Code.TOO_LARGE, limit=_JSON_BYTES)
        if raw and media_type_of(content_type) != "application/json":
            raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, expected="application/json")
        wish = parse_request(bytes(raw))
        return await anyio.to_thread.run_sync(
            self._admission.grant, wish, clean_filename(wish.filename)
        )

    async def _parts(self, content_type: str, body: AsyncIterator[bytes]) -> Parts:
        limits = FormLimits(self._settings.max_bytes + _BESIDES_BYTES, field_bytes=4096)
        kind = media_type_of(content_type)
        if kind == "multipart/form-data":
            return read_form(content_type, body, limits)
        if kind == "application/x-www-form-urlencoded":  # it can't carry a file
            return read_urlencoded(body, limits)
        if not await next_chunk(body):
            raise Refusal(Code.CONSENT_MISSING)
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, expected="multipart/form-data")

    async def _pass_on(
        self, file: FilePart, fields: Fields, parts: Parts, length: int | None
    ) -> UUID:
        """Stream a file that came after its fields to the store."""
        submission = fields.submission()
        limit = await self._limit(submission)
        _check_length(length, limit)
        chunks = _within(file.chunks, limit)
        first = await next_chunk(chunks)
        if not first:
            raise Refusal(Code.FILE_EMPTY)
        whole = _whole(first, chunks, parts, fields)
        return await self._take(submission, file, BodyReader(whole).buffered(), None)

    async def _hold(
        self, file: FilePart, fields: Fields, parts: Parts, length: int | None
    ) -> UUID:
        """Keep a file that came before its fields on disk until they are judged."""
        most = self._settings.max_bytes
        _check_length(length, most)
        with needing(Code.DISK_UNAVAILABLE, OSError):
            held = await self._spooled(_first(file.chunks, most + 1))
        with held:
            async for part in parts:
                fields.add(part)
            submission = fields.submission()
            limit = await self._limit(submission)
            size_bytes = held.tell()
            if size_bytes == 0:
                raise Refusal(Code.FILE_EMPTY)
            if size_bytes > limit:
                raise Refusal(Code.TOO_LARGE, limit=limit)
            held.seek(0)
            return await self._take(submission, file, held, size_bytes)

    async def _spooled(self, chunks: AsyncIterator[bytes]) -> BinaryIO:
        """Return *chunks* as a file that has no name and goes with the process."""
        with ExitStack() as unless_done:
            held = unless_done.enter_context(
                tempfile.TemporaryFile(dir=self._settings.tmp_dir)
            )
            stream = BodyReader(chunks).buffered()
            await anyio.to_thread.run_sync(
                shutil.copyfileobj, stream, held, limiter=self._transfers
            )
            unless_done.pop_all()
            return held

    async def _limit(self, submission: Submission) -> int:
        return await anyio.to_thread.run_sync(
            self._admission.limit, submission.project_id
        )

    async def _take(
        self,
        submission: Submission,
        file: FilePart,
        stream: BinaryIO,
        size_bytes: int | None,
    ) -> UUID:
        return await anyio.to_thread.run_sync(
            self._admission.take,
            submission,
            clean_filename(file.filename),
            clean_media_type(file.media_type),
            stream,
            size_bytes,
            limiter=self._transfers,
        )


def _check_length(length: int | None, limit: int) -> None:
    if length is not None and length > limit + _BESIDES_BYTES:
        raise Refusal(Code.TOO_LARGE, limit=limit)


async def _until_file(parts: Parts, fields: Fields) -> FilePart | None:
    """Read fields up to the file; without one, to the end."""
    async for part in parts:
        if isinstance(part, FilePart) and part.name == "file":
            return part
        fields.add(part)
        if isinstance(part, FilePart) and fields.ready:
            fields.submission()  # refuses it, before its bytes are read
    return None


async def _within(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Yield *chunks*; refuse the first byte over *limit*."""
    left = limit
    async for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise Refusal(Code.TOO_LARGE, limit=limit)
        yield chunk


async def _first(chunks: AsyncIterator[bytes], count: int) -> AsyncIterator[bytes]:
    """Yield the first *count* bytes of *chunks*, and read the rest."""
    async for chunk in chunks:
        yield chunk[:count]
        count -= min(count, len(chunk))


async def _whole(
    first: bytes, chunks: AsyncIterator[bytes], parts: Parts, fields: Fields
) -> AsyncIterator[bytes]:
    """Yield a file's bytes; end only when the form did so too, in good order.

    So the store, which keeps nothing of a stream that breaks, keeps nothing of a file
    whose form is cut, or says something else after it.
    """
    yield first
    async for chunk in chunks:
        yield chunk
    late = Fields()
    async for part in parts:
        late.add(part)
    fields.refuse_late(late)
