"""The objects of an ASF header: which stay, in which form, and what the others were.

Source: Microsoft, Advanced Systems Format (ASF) Specification, revision 01.20.05.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple
from uuid import UUID

from functions.sanitizer.av.scan import bounded, read_at, unreadable
from functions.sanitizer.findings import Finding

_HEAD = 24  # bytes of every object: GUID and size
_MAX_KEPT = 1 << 16  # bytes; real ones have some hundred


def guid(text: str) -> bytes:
    """Return a GUID as it stands in a file."""
    return UUID(text).bytes_le


HEADER = guid("75b22630-668e-11cf-a6d9-00aa0062ce6c")
DATA = guid("75b22636-668e-11cf-a6d9-00aa0062ce6c")
SIMPLE_INDEX = guid("33000890-e5b1-11cf-89f4-00a0c90349cb")
FILE_PROPERTIES = guid("8cabdca1-a947-11cf-8ee4-00c00c205365")
STREAM_PROPERTIES = guid("b7dc0791-a9b7-11cf-8ee6-00c00c205365")
HEADER_EXTENSION = guid("5fbf03b5-a92e-11cf-8ee3-00c00c205365")
EXTENDED_STREAM = guid("14e6a5cb-c672-4332-8399-a96952065b5a")
# Objects of one number for each stream: bytes before the count, bytes of each entry.
TABLES = {
    guid("7bf875ce-468d-11d1-8d82-006097c9a2b2"): (0, 6),  # bitrates
    guid("d6e229dc-35da-11d1-9034-00a0c90349be"): (16, 2),  # bitrate exclusion
    guid("a08649cf-4775-4670-8a16-6e35357566cd"): (16, 2),  # advanced exclusion
    guid("d4fed15b-88d3-454f-81f0-ed5c45999e24"): (0, 4),  # priorities
}
_PROTECTED = (
    guid("2211b3fb-bd23-11d2-b4b7-00a0c955fc6e"),
    guid("298ae614-2622-4c17-b935-dae07ee9289c"),
    guid("43058533-6981-49e6-9b74-ad12cb86d58c"),
)
_PADDING = guid("1806d474-cadf-4509-a4ba-9aabcb96aae8")
_NOTHING = (  # names of codecs and languages, compatible players, other indexes
    guid("86d15240-311d-11d0-a3a4-00a0c90348f6"),
    guid("7c4346a9-efe0-4bfc-b229-393ede415c85"),
    guid("26f18b5d-4584-47ec-9f5f-0e651f0452c9"),
    guid("d6e229df-35da-11d1-9034-00a0c90349be"),
    guid("d6e229d3-35da-11d1-9034-00a0c90349be"),
    guid("feb103f8-12ad-4c64-840f-2a1d2f7ad48c"),
)
_KINDS = {
    guid("75b22633-668e-11cf-a6d9-00aa0062ce6c"): Finding.AUDIO_TAGS,
    guid("d2d0a440-e307-11d2-97f0-00a0c95ea850"): Finding.AUDIO_TAGS,
    guid("c5f8cbea-5baf-4877-8467-aa8c44fa4cca"): Finding.AUDIO_TAGS,
    guid("44231c94-9498-49d1-a141-1d134e457054"): Finding.AUDIO_TAGS,
    guid("2211b3fa-bd23-11d2-b4b7-00a0c955fc6e"): Finding.COVER_PICTURE,  # branding
    guid("f487cd01-a951-11cf-8ee6-00c00c205365"): Finding.TEXT,  # markers
    guid("1efb1a30-0b62-11d0-a39b-00a0c90348f6"): Finding.TEXT,  # script commands
    guid("be7acfcb-97a9-42e8-9c71-999491e3afac"): Finding.XMP,
}
_PICTURE = "WM/Picture".encode("utf-16-le")


class Item(NamedTuple):
    """An object: its kind and where its content lies."""

    kind: bytes
    start: int
    end: int


def items(source: BinaryIO, at: int, end: int) -> Iterator[Item]:
    """Return the objects between *at* and *end*; they have to fill it."""
    return bounded(_walk(source, at, end))


def content(source: BinaryIO, item: Item) -> bytes:
    """Return what is in an object that stays."""
    if item.end - item.start > _MAX_KEPT:
        raise unreadable("an object of the header is longer than any can be")
    return read_at(source, item.start, item.end - item.start)


def written(kind: bytes, body: bytes) -> bytes:
    """Return an object as it stands in a file."""
    return kind + struct.pack("<Q", _HEAD + len(body)) + body


def table(kind: bytes, body: bytes) -> bytes:
    """Return a table of streams without what may follow it."""
    before, each = TABLES[kind]
    (count,) = struct.unpack_from("<H", body, before)
    end = before + 2 + each * count
    if end > len(body):
        raise unreadable("a table of streams is cut off")
    return written(kind, body[:end])


def dropped(source: BinaryIO, item: Item) -> set[Finding]:
    """Name what an object was that goes.

    Raises:
        Rejected: it says that the sound is encrypted.
    """
    if item.kind in _PROTECTED:
        raise unreadable("the sound is protected against copying")
    if item.kind in _NOTHING:
        return set()
    head = read_at(source, item.start, min(item.end - item.start, 1 << 20))
    if item.kind == _PADDING:
        return {Finding.PADDING} if any(head) else set()
    found = {_KINDS.get(item.kind, Finding.APPLICATION_DATA)}
    return found | ({Finding.COVER_PICTURE} if _PICTURE in head else set())


def _walk(source: BinaryIO, at: int, end: int) -> Iterator[Item]:
    while at < end:
        kind, size = struct.unpack("<16sQ", read_at(source, at, _HEAD))
        if not _HEAD <= size <= end - at:
            raise unreadable("an object of the header is cut off")
        yield Item(kind, at + _HEAD, at + size)
        at += size
