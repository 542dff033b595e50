"""Films and sound in boxes, by hand: no frame of them is ever decoded."""

import struct

TURNED = (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
UPRIGHT = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def box(kind: bytes, *inside: bytes) -> bytes:
    body = b"".join(inside)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def track(
    number: int, handler: bytes, *, matrix: tuple[int, ...] = UPRIGHT, samples: int = 1
) -> bytes:
    """Return a `trak` of 320 by 180 pixels, or of sound; tables as long as asked."""
    size = (320 << 16, 180 << 16) if handler == b"vide" else (0, 0)
    header = struct.pack(">12xII4x4xQHHHH", number, 0, 0, 0, 0, 0, 0)[: 4 * 10]
    header += struct.pack(">9iII", *matrix, *size)
    entry = b"avc1" if handler == b"vide" else b"mp4a"
    sound = struct.pack(">8xHHIHH", 2, 16, 0, 44_100, 0)
    sizes = struct.pack(">4xII", 0, samples) + bytes(4 * samples)
    return box(
        b"trak",
        box(b"tkhd", header),
        box(
            b"mdia",
            box(b"mdhd", struct.pack(">12xIIHH", 1000, 60_000, 0, 0)),
            box(b"hdlr", bytes(8) + handler + bytes(12)),
            box(
                b"minf",
                box(
                    b"stbl",
                    box(b"stsd", bytes(4), b"\0\0\0\1", box(entry, bytes(8), sound)),
                    box(b"stsz", sizes),
                    box(b"stsc", struct.pack(">4xI", 0)),
                    box(b"stco", struct.pack(">4xI", 0)),
                ),
            ),
        ),
    )


def movie(*tracks: bytes, length: int = 60_000) -> bytes:
    """Return a `moov` of a thousand units a second."""
    header = struct.pack(">12xII16x", 1000, length) + struct.pack(">9i", *UPRIGHT)
    return box(b"moov", box(b"mvhd", header, bytes(28)), *tracks)


def in_fragments(*, count: int, listed: bool, each_its_own: bool = False) -> bytes:
    """Return sound in fragments of a second; *listed* by an index at the end.

    Args:
        each_its_own: a second track has fragments too, that end in between.
    """
    defaults = struct.pack(">4xIIIII", 1, 1, 1000, 0, 0)
    head = box(b"ftyp", b"iso5", bytes(4))
    listing = [1, 2] if each_its_own else [1]
    tracks = [track(number, b"soun") for number in listing]
    head += movie(*tracks, box(b"mvex", box(b"trex", defaults)), length=0)
    body = b""
    places: dict[int, list[tuple[int, int]]] = {number: [] for number in listing}
    for second in range(count):
        for number in listing:
            places[number].append((second * 1000, len(head) + len(body)))
            body += _fragment(number, second) + box(b"mdat", bytes(8000 // number))
    return head + body + (_index(places) if listed else b"")


def _fragment(number: int, second: int) -> bytes:
    return box(
        b"moof",
        box(b"mfhd", struct.pack(">4xI", second + 1)),
        box(
            b"traf",
            box(b"tfhd", struct.pack(">4xI", number)),
            box(b"tfdt", struct.pack(">4xI", second * 1000)),
            box(b"trun", struct.pack(">4xI", 1)),
        ),
    )


def _index(places: dict[int, list[tuple[int, int]]]) -> bytes:
    tables = b""
    for number, listed in places.items():
        entries = b"".join(struct.pack(">IIBBB", *place, 1, 1, 1) for place in listed)
        head = struct.pack(">4xIII", number, 0, len(listed))
        tables += box(b"tfra", head, entries)
    return box(b"mfra", tables, box(b"mfro", struct.pack(">4xI", len(tables) + 24)))
