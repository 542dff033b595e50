"""How a presigned GET is answered: whole or one range, always as a download."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from infra.stores.signing import Refused
from schemas.objects import ObjectInfo, RangedReader

_CHUNK_BYTES = 1 << 20
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_ODD = re.compile(r"[^ !#$&-\[\]-~]")  # what readers of a quoted-string take amiss


def download(
    info: ObjectInfo, reader: RangedReader, filename: str, wanted: str | None
) -> Response:
    """Answer with an object.

    Args:
        wanted: the Range header; several ranges at once get the whole object.

    Raises:
        Refused: the range lies behind the object's end.
    """
    size = reader.size_bytes
    span = _span(wanted, size) if wanted else None
    start, stop = span or (0, size)
    headers = {
        "Content-Length": str(stop - start),
        "Content-Disposition": disposition(filename),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",  # or a text file could run as a page
        "Cache-Control": "private, no-store",  # what is withdrawn is gone at once
    }
    if span:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return StreamingResponse(
        _chunks(reader, start, stop),
        status_code=206 if span else 200,
        headers=headers | {"Content-Type": info.media_type},
    )


def disposition(filename: str) -> str:
    """Return a Content-Disposition (RFC 6266) that names a file in any script."""
    plain = _ODD.sub("_", filename)
    extended = f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{plain}"{extended if plain != filename else ""}'


def _span(wanted: str, size_bytes: int) -> tuple[int, int] | None:
    """Return where a range begins and ends (RFC 9110, 14.1.2); None to ignore it."""
    match = _RANGE.fullmatch(wanted)
    if match is None or match.group(1, 2) == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size_bytes - int(last)), size_bytes
    else:
        start = int(first)
        stop = min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= size_bytes:
        raise Refused(
            416,
            "range_not_satisfiable",
            f"The object has {size_bytes} bytes.",
            {"Content-Range": f"bytes */{size_bytes}"},
        )
    return start, stop


def _chunks(reader: RangedReader, start: int, stop: int) -> Iterator[bytes]:
    while start < stop:
        chunk = reader.read_at(start, min(_CHUNK_BYTES, stop - start))
        yield chunk
        start += len(chunk)
