"""A marker in every place that audio files have."""

import struct
from collections.abc import Iterator

from infra.samples import audio
from tests.exam.hostile.boxes import box
from tests.exam.hostile.case import MARKER, Case
from tests.exam.hostile.jpeg import plain as jpeg
from tests.exam.judge.boxes import boxes

# Sound that is broken may pass by policy: that is another word than clean.
SOUND = ("clean", "rejected", "held", "passed")
_SECONDS = 0.3
_RIFF_KINDS = (
    b"LIST bext iXML axml cart DISP id3 JUNK PAD  cue  labl smpl inst _PMX "
    b"umid MD5  fact fake aXML"
)


def cases() -> Iterator[Case]:
    """Yield every case."""
    for name, data in _samples():
        yield Case(name, data, SOUND)
        yield Case(f"behind-{name}", data + MARKER, SOUND)
        yield Case(f"tagged-{name}", data + id3v1(), SOUND)
        yield Case(f"headed-{name}", id3v2() + data, SOUND)
    yield from _waves()
    yield from _flacs()
    yield from _films()
    frame = b"\xff\xfb\x50\xc0".ljust(208, b"\0")
    yield Case("between_frames.mp3", frame * 20 + MARKER + frame * 20, SOUND)
    yield Case("tag_between.mp3", frame * 20 + id3v2() + frame * 20, SOUND)
    yield Case("picture.mp3", id3v2(_cover()) + frame * 20, SOUND)


def _samples() -> Iterator[tuple[str, bytes]]:
    yield "wave.wav", audio.wav(_SECONDS)
    yield "free.flac", audio.flac(_SECONDS)
    yield "mpeg.mp3", audio.mp3(_SECONDS)
    yield "vorbis.ogg", audio.ogg_vorbis(_SECONDS)
    yield "opus.opus", audio.ogg_opus(_SECONDS)
    yield "film.m4a", audio.m4a(_SECONDS)


def id3v1() -> bytes:
    """Return an ID3v1 tag."""
    return (b"TAG" + MARKER).ljust(128, b"\0")


def id3v2(frame: bytes = b"TIT2\0\0\0\x13\0\0\0" + MARKER) -> bytes:
    """Return an ID3v2.3 tag of one frame."""
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + frame


def _cover() -> bytes:
    body = b"\0image/jpeg\0\3\0" + jpeg(comment=MARKER)
    return b"APIC" + struct.pack(">IH", len(body), 0) + body


def _waves() -> Iterator[Case]:
    layout = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    head, sound = _chunk(b"fmt ", layout), _chunk(b"data", bytes(1600))
    for kind in sorted({_RIFF_KINDS[at : at + 4] for at in range(0, 75, 5)}):
        name = kind.decode().strip().strip("_")
        yield Case(f"{name}.wav", _wave(head + _chunk(kind, MARKER) + sound), SOUND)
    long = _chunk(b"fmt ", layout + struct.pack("<H", len(MARKER)) + MARKER)
    yield Case("format_long.wav", _wave(long + sound), SOUND)
    yield Case("twice.wav", _wave(head + sound + head + sound), SOUND)
    pair = _chunk(b"data", MARKER + b"!")[:-1] + b"K"
    yield Case("padding.wav", _wave(head + sound + pair[-1:]), SOUND)


def _wave(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _flacs() -> Iterator[Case]:
    data = audio.flac(_SECONDS)
    for number, name in (
        (1, "padding"),
        (2, "application"),
        (5, "cue"),
        (99, "unknown"),
    ):
        block = struct.pack(">I", number << 24 | len(MARKER)) + MARKER
        yield Case(f"{name}.flac", data[:42] + block + data[42:], SOUND)


def _films() -> Iterator[Case]:
    data = audio.m4a(_SECONDS, moov_first=False)
    for kind in (
        b"uuid",
        b"free",
        b"skip",
        b"meta",
        b"udta",
        b"moof",
        b"priv",
        b"mdat",
    ):
        hidden = box(kind, bytes(16) + MARKER)
        yield Case(f"{kind.decode()}.m4a", data + hidden, SOUND)
        inner = _in_movie(data, hidden)
        yield Case(f"movie_{kind.decode()}.m4a", inner, SOUND)
    place = struct.pack(">HH", len(MARKER), 0x15C7) + MARKER
    for kind in (b"\xa9xyz", b"loci", b"\xa9mak", b"\xa9swr", b"titl", b"\xa9day"):
        name = kind.decode("latin-1").strip("\xa9")
        user = box(b"udta", box(kind, place))
        yield Case(f"user_{name}.m4a", _in_movie(data, user), SOUND)


def _in_movie(data: bytes, added: bytes) -> bytes:
    """Return the file with *added* in its movie box, which is its last."""
    movie = next(each for each in boxes(data, 0, len(data)) if each.kind == b"moov")
    size = struct.pack(">I", movie.end - movie.start + 8 + len(added))
    head = data[: movie.start - 8] + size
    return head + data[movie.start - 4 : movie.end] + added + data[movie.end :]
