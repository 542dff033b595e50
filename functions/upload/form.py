"""Multipart forms, read while they arrive: fields whole, files as streams.

RFC 7578 over python-multipart's push parser. Nothing here knows what a field means,
and memory does not grow with the body.
"""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from functions.upload.body import BodyReader, next_chunk
from functions.upload.headers import Head, boundary_of, head_of, text
from functions.upload.parts import Field, FilePart, FormError, FormLimits

__all__ = [
    "BodyReader",
    "Field",
    "FilePart",
    "FormError",
    "FormLimits",
    "read_form",
    "read_urlencoded",
]


async def read_form(
    content_type: str, body: AsyncIterator[bytes], limits: FormLimits
) -> AsyncGenerator[Field | FilePart, None]:
    """Yield the parts of a multipart form in their order, to the closing boundary.

    Raises:
        FormError: in the middle, too, and while a file's chunks are read.
    """
    feed = _Feed(boundary_of(content_type), body, limits)
    while (head := await feed.next_part()) is not None:
        if head.filename is None:
            raw, whole = await feed.first(limits.field_bytes)
            yield Field(head.name, raw, head.charset, whole)
        else:
            yield FilePart(head.name, head.filename, head.media_type, feed.chunks())


async def read_urlencoded(
    body: AsyncIterator[bytes], limits: FormLimits
) -> AsyncGenerator[Field, None]:
    """Yield the fields of an application/x-www-form-urlencoded body.

    Raises:
        FormError: too_large (over field_bytes in all), body_malformed, body_incomplete.
    """
    raw = b""
    while chunk := await next_chunk(body):
        raw += chunk
        if len(raw) > limits.field_bytes:
            raise FormError("too_large", "The form is too large.")
    try:
        pairs = parse_qsl(
            raw.decode("latin-1"),
            keep_blank_values=True,
            encoding="latin-1",  # still bytes: Field.value decodes
            max_num_fields=limits.parts,
        )
    except ValueError as exc:
        raise FormError("body_malformed", "The form has too many fields.") from exc
    for name, value in pairs:
        yield Field(text(name.encode("latin-1")), value.encode("latin-1"))


class _Feed:
    """Pulls from the body what the push parser makes of it."""

    def __init__(
        self, boundary: str, body: AsyncIterator[bytes], limits: FormLimits
    ) -> None:
        self._body = body
        self._limits = limits
        self._seen_bytes = 0
        self._in_part = False
        self._failure: FormError | None = None
        self._parser = _Parser(boundary, limits)

    async def next_part(self) -> Head | None:
        """Return the next part's head, past whatever is left of the last part."""
        while await self._data() is not None:
            pass
        event = await self._event()
        assert not isinstance(event, bytes)
        self._in_part = event is not None
        return event

    async def first(self, count: int) -> tuple[bytes, bool]:
        """Return the first *count* bytes of this part, and whether that is all."""
        kept = bytearray()
        size = 0
        while (data := await self._data()) is not None:
            kept += data[: count - len(kept)]
            size += len(data)
        return bytes(kept), size == len(kept)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the rest of this part."""
        while (data := await self._data()) is not None:
            yield data

    async def _data(self) -> bytes | None:
        if not self._in_part:
            return None
        event = await self._event()
        assert not isinstance(event, Head)
        self._in_part = event is not None
        return event

    async def _event(self) -> Head | bytes | None:
        # After the closing boundary the rest is read, too: the request has to be whole.
        while not self._parser.events and await self._fill():
            pass
        if self._parser.events:
            return self._parser.events.popleft()
        if self._failure is not None:
            raise self._failure
        if not self._parser.finished:
            raise FormError("body_incomplete", "The form breaks off before its end.")
        return None

    async def _fill(self) -> bool:
        """Parse one chunk more; return False when there is none, or no use."""
        chunk = b"" if self._failure else await next_chunk(self._body)
        if not chunk:
            return False
        self._seen_bytes += len(chunk)
        try:
            if self._seen_bytes > self._limits.total_bytes:
                raise FormError("too_large", "The form is too large.")
            self._parser.write(chunk)
        except FormError as exc:
            self._failure = exc  # raised in its place, after what came before it
        return True


class _Parser:
    """The push parser, its callbacks turned into events.

    Attributes:
        events: a part's head, its data, and None at its end.
    """

    def __init__(self, boundary: str, limits: FormLimits) -> None:
        self.events: deque[Head | bytes | None] = deque()
        self.finished = False
        self._parts_left = limits.parts
        self._name = b""
        self._value = b""
        self._headers: dict[str, bytes] = {}
        self._parser = MultipartParser(
            boundary.encode("ascii"),
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._extend_name,
                "on_header_value": self._extend_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
            max_header_size=limits.header_bytes,
        )

    def write(self, chunk: bytes) -> None:
        """Parse the next bytes of the body.

        Raises:
            FormError: body_malformed.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as exc:
            raise FormError("body_malformed", "The form is malformed.") from exc

    def _begin_part(self) -> None:
        self._headers = {}
        self._parts_left -= 1
        if self._parts_left < 0:
            raise FormError("body_malformed", "The form has too many parts.")

    def _extend_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _extend_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        name = self._name.decode("ascii").lower()
        if name in self._headers:
            raise FormError("body_malformed", "A part repeats one of its headers.")
        self._headers[name] = self._value
        self._name = self._value = b""

    def _end_headers(self) -> None:
        self.events.append(head_of(self._headers))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self.events.append(data[start:end])

    def _end_part(self) -> None:
        self.events.append(None)

    def _end(self) -> None:
        self.finished = True
