"""Sound made by hand, without an encoder: small, always the same, full of tags.

Every file carries MARKER wherever its format lets a program write something: titles,
pictures, places, private chunks, free space. A clean copy must not hold it.
"""

import struct
from collections.abc import Iterator

from fastcrc import crc8, crc16, crc32

MARKER = b"Jane Roe, 48.8584N 2.2945E"
PICTURE = b"\x89PNG\r\n\x1a\n" + MARKER
_SINCE_1904 = 0x7C25B080  # 1970 as MP4 counts: a date that has to go


def truncated(data: bytes) -> bytes:
    """Return the first half: a transfer that stopped."""
    return data[: len(data) // 2]


def wav(seconds: float = 1.0, rate: int = 8000) -> bytes:
    """Return 16-bit mono PCM with LIST, bext, id3 and a private chunk."""
    samples = b"".join(
        struct.pack("<h", (n * 97) % 8192 - 4096) for n in range(round(seconds * rate))
    )
    layout = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    chunks = (
        (b"fmt ", layout),
        (b"bext", MARKER.ljust(602, b"\0")),
        (b"data", samples),
        (b"LIST", b"INFO" + _chunk(b"IART", MARKER)),
        (b"id3 ", id3v2()),
        (b"priv", MARKER),
    )
    body = b"".join(_chunk(name, content) for name, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def _chunk(name: bytes, content: bytes) -> bytes:
    padding = b"\0" * (len(content) % 2)
    return name + struct.pack("<I", len(content)) + content + padding


def id3v2() -> bytes:
    """Return an ID3v2.3 tag with title, picture and a private frame."""
    frames = (
        (b"TIT2", b"\0" + MARKER),
        (b"APIC", b"\0image/png\0\3\0" + PICTURE),
        (b"PRIV", b"owner\0" + MARKER),
    )
    body = b"".join(
        name + struct.pack(">IH", len(content), 0) + content for name, content in frames
    )
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + body


def id3v1() -> bytes:
    """Return an ID3v1 tag."""
    return (b"TAG" + MARKER).ljust(128, b"\0")


def apev2() -> bytes:
    """Return an APEv2 tag with header and footer."""
    item = struct.pack("<II", len(MARKER), 0) + b"Artist\0" + MARKER
    ends = [
        b"APETAGEX" + struct.pack("<4I8x", 2000, len(item) + 32, 1, flags)
        for flags in (0xA0000000, 0x80000000)
    ]
    return ends[0] + item + ends[1]


def lyrics3() -> bytes:
    """Return a Lyrics3 v2 tag, as it stands before an ID3v1 tag."""
    body = b"LYRICSBEGIN" + b"ETT%05d" % len(MARKER) + MARKER
    return body + b"%06dLYRICS200" % len(body)


def flac(seconds: float = 1.0, rate: int = 8000, comment: bytes | None = None) -> bytes:
    """Return FLAC with constant subframes, a seek table, comments and a picture."""
    comment = comment or comment_of(MARKER)
    total, block = round(seconds * rate), 1024
    frames = [
        flac_frame(number, min(block, total - start))
        for number, start in enumerate(range(0, total, block))
    ]
    info = struct.pack(">HH6xQ16x", block, block, rate << 44 | 15 << 36 | total)
    seeks = struct.pack(">QQHQ", 0, 0, min(block, total), 2**64 - 1) + MARKER[:10]
    picture = struct.pack(">II9sII", 3, 9, b"image/png", 0, 1) + bytes(12)
    picture += struct.pack(">I", len(PICTURE)) + PICTURE
    blocks = [(0, info), (3, seeks), (4, comment), (6, picture)]
    blocks += [(2, b"test" + MARKER), (0x80 | 1, MARKER)]
    head = b"".join(
        struct.pack(">I", kind << 24 | len(content)) + content
        for kind, content in blocks
    )
    return b"fLaC" + head + b"".join(frames) + id3v1()


def flac_frame(number: int, samples: int) -> bytes:
    """Return a mono frame of 16 bits in which every sample is the same."""
    coded = chr(number).encode()  # UTF-8 does for the first 55,295 frames
    head = b"\xff\xf8\x70\x08" + coded + struct.pack(">H", samples - 1)
    body = head + bytes([crc8.smbus(head)]) + struct.pack(">BH", 0, number % 256)
    return body + struct.pack(">H", crc16.umts(body))


def comment_of(artist: bytes, *, field: bytes = b"A=B") -> bytes:
    """Return a Vorbis comment of an artist, another field and a cover picture."""
    fields = [b"ARTIST=" + artist, field]
    fields.append(b"METADATA_BLOCK_PICTURE=" + PICTURE.hex().encode() + MARKER)
    vendor = b"encoder of " + MARKER
    listed = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    return (
        struct.pack("<I", len(vendor))
        + vendor
        + struct.pack("<I", len(fields))
        + listed
    )


def mp3(seconds: float = 1.0, *, xing: bool = True) -> bytes:
    """Return silent MPEG-1 layer III, 44.1 kHz mono, with ID3v2, APE, Lyrics3, ID3v1.

    Args:
        xing: whether an encoder's frame with counts comes first.
    """
    count = round(seconds * 44_100 / 1152)
    frame = b"\xff\xfb\x50\xc0".ljust(208, b"\0")  # 64 kbit/s
    sound = frame * count
    if xing:
        counts = struct.pack(">III", 15, count, len(sound) + len(frame))
        lame = b"LAME3.100".ljust(36, b"\0")
        header = frame[:21] + b"Info" + counts + bytes(104) + lame + MARKER
        sound = header.ljust(len(frame), b"\0") + sound
    return id3v2() + sound + apev2() + lyrics3() + id3v1()


def ogg_vorbis(
    seconds: float = 1.0, rate: int = 8000, comment: bytes | None = None
) -> bytes:
    """Return silent Ogg Vorbis with comments and a picture."""
    first = b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, 1, rate, 0, 64_000, 0, 0xB8, 1)
    comment = b"\x03vorbis" + (comment or comment_of(MARKER * 400)) + b"\1"
    # A packet of one zero bit says that nothing is to be heard for half a short block.
    return ogg(first, [comment, _vorbis_setup()], b"\0", 128, round(seconds * rate))


def _vorbis_setup() -> bytes:
    """Return the smallest set-up header: one of everything, all of it trivial."""
    codebook = ((0x564342, 24), (1, 16), (2, 24), (0, 2), (0, 10), (0, 4))
    floor = ((0, 6), (1, 16), (0, 5), (0, 2), (0, 4))
    residue = ((0, 6), (0, 16), (0, 72), (0, 6), (0, 8), (0, 4))
    mapping = ((0, 6), (0, 16), (0, 4), (0, 24))
    mode = ((0, 6), (0, 41), (1, 1))
    value, width = 0, 0
    for number, bits in ((0, 8), *codebook, (0, 22), *floor, *residue, *mapping, *mode):
        value, width = value | number << width, width + bits
    return b"\x05vorbis" + value.to_bytes((width + 7) // 8, "little")


def ogg_opus(seconds: float = 1.0, comment: bytes | None = None) -> bytes:
    """Return silent Ogg Opus with comments and a picture."""
    first = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    comment = b"OpusTags" + (comment or comment_of(MARKER * 400)) + MARKER
    samples = round(seconds * 48_000) + 312
    return ogg(first, [comment], b"\xf8\xff\xfe", 960, samples)


def ogg(
    first: bytes, rest: list[bytes], packet: bytes, step: int, samples: int
) -> bytes:
    """Return pages: first header, other headers, then one for every packet."""
    ends = [*range(step, samples, step), samples]
    pages = [(2, 0, [first]), (0, 0, rest)]
    pages += [(4 if end == samples else 0, end, [packet]) for end in ends]
    written: list[bytes] = []
    for flags, granule, packets in pages:
        written.extend(_ogg_pages(flags, granule, packets, len(written)))
    return b"".join(written)


def _ogg_pages(
    flags: int, granule: int, packets: list[bytes], sequence: int
) -> Iterator[bytes]:
    lacing = b"".join(
        b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
        for packet in packets
    )
    body = b"".join(packets)
    for start in range(0, len(lacing), 255):
        part = lacing[start : start + 255]
        content, body = body[: sum(part)], body[sum(part) :]
        continued = 1 if start and lacing[start - 1] == 255 else 0
        head = struct.pack("<BBqII", 0, flags | continued, granule, 0x1234, sequence)
        tail = bytes([len(part)]) + part + content
        crc = crc32.cksum(b"OggS" + head + bytes(4) + tail) ^ 0xFFFFFFFF
        yield b"OggS" + head + struct.pack("<I", crc) + tail
        sequence += 1


def m4a(seconds: float = 1.0, *, moov_first: bool = True) -> bytes:
    """Return silent AAC in MP4 with iTunes tags, cover, place, dates and chapters."""
    count, packet = round(seconds * 44_100 / 1024), bytes.fromhex("210049900219002380")
    title = struct.pack(">H", len(MARKER)) + MARKER
    brands = _box(b"ftyp", b"M4A ", 0x20260401, b"M4A isom", MARKER[:4])
    extra = _box(b"free", MARKER) + _box(b"uuid", bytes(16), MARKER)
    media = _box(b"mdat", title, packet * count, MARKER)
    sizes = {"count": count, "packet": len(packet), "title": len(title)}
    start = len(brands) + len(extra) + 8
    if moov_first:
        start += len(_movie(0, **sizes))
    movie = _movie(start, **sizes)
    return brands + (movie + extra + media if moov_first else extra + media + movie)


def _box(kind: bytes, *parts: bytes | int) -> bytes:
    body = b"".join(
        struct.pack(">I", part) if isinstance(part, int) else part for part in parts
    )
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _movie(start: int, *, count: int, packet: int, title: int) -> bytes:
    units = count * 1024
    head = _box(
        b"mvhd", 0, _SINCE_1904, _SINCE_1904, 44_100, units, 0x10000, bytes(72), 3
    )
    described = _box(b"data", 1, 0, MARKER)
    cover = _box(b"covr", _box(b"data", 14, 0, PICTURE))
    tags = _box(
        b"meta", 0, _handler(b"mdir"), _box(b"ilst", _box(b"\xa9nam", described), cover)
    )
    place = _box(b"\xa9xyz", struct.pack(">HH", len(MARKER), 0x15C7), MARKER)
    sound = _track(b"soun", 1, units, _aac(), samples=(count, packet), at=start + title)
    text = _track(
        b"text", 2, units, _box(b"text", bytes(51)), samples=(1, title), at=start
    )
    return _box(
        b"moov", head, sound, text, _box(b"udta", place, tags), _box(b"free", MARKER)
    )


def _handler(kind: bytes) -> bytes:
    return _box(b"hdlr", 0, 0, kind, bytes(12), MARKER + b"\0")


def _aac() -> bytes:
    """Return the description of AAC-LC, 44.1 kHz, stereo."""
    stream = bytes.fromhex(
        "0319000100" + "0411" + "4015000000" + "0000fa00" + "0000fa00"
        "05021210" + "060102"
    )
    fields = struct.pack(
        ">6xHHH4sHHHHI", 1, 0, 0, MARKER[:4], 2, 16, 0, 0, 44_100 << 16
    )
    return _box(b"mp4a", fields, _box(b"esds", 0, stream))


def _track(
    kind: bytes,
    number: int,
    units: int,
    coding: bytes,
    *,
    samples: tuple[int, int],
    at: int,
) -> bytes:
    count, size = samples
    dates = (_SINCE_1904, _SINCE_1904)
    head = _box(b"tkhd", 7, *dates, number, 0, units, bytes(52), bytes(8))
    tables = _box(
        b"stbl",
        _box(b"stsd", 0, 1, coding),
        _box(b"stts", 0, 1, count, units // count),
        _box(b"stsc", 0, 1, 1, count, 1),
        _box(b"stsz", 0, size, count),
        _box(b"stco", 0, 1, at),
    )
    here = _box(b"dinf", _box(b"dref", 0, 1, _box(b"url ", 1)))
    info = _box(b"minf", _box(b"smhd", 0, 0), here, tables)
    times = _box(b"mdhd", 0, *dates, 44_100, units, 0x15C70000)
    return _box(b"trak", head, _box(b"mdia", times, _handler(kind), info))
