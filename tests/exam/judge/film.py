"""What a movie box holds besides tracks: dates, places, texts (ISO/IEC 14496-12)."""

from collections.abc import Iterator

from tests.exam.judge.boxes import Box, boxes
from tests.exam.judge.scan import Scan, shown

_HOLDERS = frozenset(b"trak mdia minf stbl edts mvex moof traf".split())
_NEEDED = frozenset(
    b"mvhd tkhd mdhd hdlr vmhd smhd nmhd sthd gmhd dinf stsd stts stsc stsz".split()
    + b"stz2 stco co64 ctts cslg stss sdtp sgpd sbgp elst trex mehd mfhd tfhd".split()
    + b"tfdt trun subs saiz saio tref tapt load stsh stdp padb hmhd".split()
)
_TOP = frozenset(b"ftyp moov mdat free skip wide moof styp sidx mfra".split())
_TRACKS = frozenset((b"soun", b"vide", b"pict", b"auxv"))
_DATED = frozenset((b"mvhd", b"tkhd", b"mdhd"))
_FREE = frozenset((b"free", b"skip", b"wide"))
_MOST_DEPTH = 8


def scan_film(found: Scan) -> None:
    """Note every leak of an MP4, MOV or 3GP."""
    end = 0
    media: list[Box] = []
    chunks: list[tuple[int, int]] = []
    for box in boxes(found.data, 0, len(found.data)):
        end = box.end
        if box.kind == b"moov":
            scan_movie(found, box.start, box.end)
            chunks += _chunks(found.data, box.start, box.end)
        elif box.kind == b"mdat":
            media.append(box)
        elif box.kind in _FREE:
            _blank(found, box)
        elif box.kind not in _TOP:
            found.leak("film_box", f"box {shown(box.kind)}", box.start, box.end)
    found.tail(end)
    fragments = any(box.kind == b"moof" for box in boxes(found.data, 0, end))
    if chunks and not fragments:
        _between(found, media, sorted(chunks))


def scan_movie(found: Scan, start: int, end: int, depth: int = 0) -> None:
    """Note every leak of a movie box's contents."""
    for box in boxes(found.data, start, end):
        if box.kind in _HOLDERS and depth < _MOST_DEPTH:
            scan_movie(found, box.start, box.end, depth + 1)
        elif box.kind in _FREE:
            _blank(found, box)
        elif box.kind not in _NEEDED:
            found.leak("film_box", f"{shown(box.kind)}", box.start, box.end)
        elif box.kind in _DATED:
            _dates(found, box)
        elif box.kind == b"hdlr":
            _handler(found, box)


def _blank(found: Scan, box: Box) -> None:
    if found.data[box.start : box.end].strip(b"\0"):
        found.leak("slack", f"{shown(box.kind)} that is not empty", box.start, box.end)


def _dates(found: Scan, box: Box) -> None:
    size = 16 if found.number(box.start, 1) else 8
    if found.number(box.start + 4, size):
        where = f"{shown(box.kind)} has a date"
        found.leak("date", where, box.start + 4, box.start + 4 + size)


def _handler(found: Scan, box: Box) -> None:
    kind = found.data[box.start + 8 : box.start + 12]
    role = found.data[box.start + 4 : box.start + 8]
    if kind not in _TRACKS and role != b"dhlr":
        found.leak("track", f"a track of {shown(kind)}", box.start, box.end)
    name = found.data[box.start + 24 : box.end].strip(b"\0")
    if name:
        found.leak("name", f"a handler's name {shown(name)}", box.start + 24, box.end)


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where every track's chunks lie."""
    for box in boxes(data, start, end):
        if box.kind in (b"trak", b"mdia", b"minf"):
            yield from _chunks(data, box.start, box.end)
        elif box.kind == b"stbl":
            inner = {b.kind: b for b in boxes(data, box.start, box.end)}
            yield from _of_table(data, inner)


def _of_table(data: bytes, inner: dict[bytes, Box]) -> Iterator[tuple[int, int]]:
    offsets, runs, sizes = (
        inner.get(b"stco") or inner.get(b"co64"),
        inner.get(b"stsc"),
        inner.get(b"stsz"),
    )
    if offsets is None or runs is None or sizes is None:
        return
    wide = 8 if offsets.kind == b"co64" else 4
    places = _column(data, offsets, 8, wide, wide)
    firsts, counts = (_column(data, runs, 8, 12, 4, skip) for skip in (0, 4))
    fixed = int.from_bytes(data[sizes.start + 4 : sizes.start + 8], "big")
    table = [] if fixed else _column(data, sizes, 12, 4, 4)
    sample = run = 0
    for number, place in enumerate(places, start=1):
        while run + 1 < len(firsts) and firsts[run + 1] <= number:
            run += 1
        count = counts[run] if counts else 0
        size = fixed * count if fixed else sum(table[sample : sample + count])
        sample += count
        yield place, place + size


def _column(
    data: bytes, box: Box, at: int, step: int, size: int, skip: int = 0
) -> list[int]:
    return [
        int.from_bytes(data[place + skip : place + skip + size], "big")
        for place in range(box.start + at, box.end - step + 1, step)
    ]


def _between(found: Scan, media: list[Box], chunks: list[tuple[int, int]]) -> None:
    for box in media:
        at = box.start
        for start, end in [*chunks, (box.end, box.end)]:
            if end < at or start > box.end:
                continue
            if found.data[at:start].strip(b"\0"):
                found.leak("slack", f"{start - at} bytes no track's", at, start)
            at = max(at, end)
