"""More sound made by hand: the containers that fewer programs write.

As in audio.py every file carries MARKER wherever its format lets a program write.
"""

import hashlib
import struct
from uuid import UUID

from infra.samples.audio import (
    MARKER,
    PICTURE,
    apev2,
    comment_of,
    flac_frame,
    id3v1,
    id3v2,
    ogg,
    wav,
)

_AAC = bytes.fromhex("210049900219002380")  # a silent packet of AAC-LC in stereo
_FILETIME = 0x01D9_4B5C_0000_0000  # a date of 2023 as ASF counts


def aiff(seconds: float = 1.0, rate: int = 8000, *, coding: bytes = b"") -> bytes:
    """Return 16-bit mono AIFF with every text chunk, an ID3 tag, marks and slack.

    Args:
        coding: makes it AIFF-C, coded so (`sowt`, `NONE`).
    """
    count = round(seconds * rate)
    exponent = rate.bit_length() - 1
    hertz = struct.pack(">HQ", 16383 + exponent, rate << 63 - exponent)
    layout = struct.pack(">HIH", 1, count, 16) + hertz
    layout += coding + bytes([len(MARKER) + 1]) + MARKER + b"\0" if coding else b""
    samples = struct.pack(f">{count}h", *((n * 97) % 8192 - 4096 for n in range(count)))
    slack = MARKER.ljust(32, b"\0")
    chunks = (
        (b"FVER", b"\xa2\x80\x51\x40"),
        (b"COMM", layout),
        *((name, MARKER) for name in (b"NAME", b"AUTH", b"(c) ", b"ANNO")),
        (b"COMT", struct.pack(">HIhH", 1, 0xE000_0000, 0, len(MARKER)) + MARKER),
        (b"MARK", struct.pack(">HhIB", 1, 1, 0, len(MARKER)) + MARKER + b"\0"),
        (b"APPL", b"test" + MARKER + b"odd"),
        (b"CHAN", struct.pack(">III", 100 << 16 | 1, 0, 0) + MARKER),
        (b"SSND", struct.pack(">II", len(slack), 512) + slack + samples),
        (b"ID3 ", id3v2()),
    )
    wanted = chunks if coding else chunks[1:]
    body = b"".join(_big_chunk(name, content) for name, content in wanted)
    form = b"AIFC" if coding else b"AIFF"
    return b"FORM" + struct.pack(">I", len(body) + 4) + form + body


def _big_chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">I", len(content)) + content + b"!" * (len(content) % 2)


def rf64(seconds: float = 1.0) -> bytes:
    """Return the WAV sample with its sizes in `ds64`, and a table there."""
    plain = wav(seconds)
    at = plain.index(b"data") + 4
    (size,) = struct.unpack_from("<I", plain, at)
    table = b"JaneRoe1"[:4] + struct.pack("<Q", 7)
    sizes = struct.pack("<QQQI", len(plain) + 40, size, size // 2, 1) + table
    head = b"RF64" + b"\xff" * 4 + b"WAVEds64" + struct.pack("<I", len(sizes)) + sizes
    return head + plain[12:at] + b"\xff" * 4 + plain[at + 4 :]


def adts(seconds: float = 1.0) -> bytes:
    """Return silent raw AAC, 44.1 kHz stereo, with tags before, between and behind."""
    size = len(_AAC) + 7
    bits = 0xFFF << 44 | 1 << 40 | 1 << 38 | 4 << 34 | 2 << 30 | size << 13 | 0x7FF << 2
    frames = (bits.to_bytes(7, "big") + _AAC) * round(seconds * 44_100 / 1024)
    half = len(frames) // size // 2 * size
    between = id3v2() + MARKER
    return id3v2() + frames[:half] + between + frames[half:] + apev2() + id3v1()


def wavpack(seconds: float = 1.0) -> bytes:
    """Return silent WavPack, 44.1 kHz mono, with tags and the packed file's headers."""
    count = round(seconds * 44_100)
    riff = wav(0)
    head = [
        _sub_block(0x21, riff),
        _sub_block(0x00, MARKER),
        _sub_block(0x28, b"jane"),
    ]
    tail = [
        _sub_block(0x26, hashlib.md5(bytes(2 * count), usedforsecurity=False).digest())
    ]
    tail += [_sub_block(0x22, b"LIST" + MARKER)]
    silence = [
        *(_sub_block(kind, b"") for kind in (0x02, 0x03, 0x04)),
        _sub_block(0x05, bytes(6)),
        _sub_block(0x0A, _silence(count)),
    ]
    first = _block(b"".join(head + silence), count, count)
    return id3v2() + first + _block(b"".join(tail), count, 0) + apev2() + id3v1()


def _silence(count: int) -> bytes:
    """Return the bits that say *count* times zero: a length, lowest bit first."""
    width = count.bit_length()
    bits = (1 << width) - 1 | (count & (1 << width - 1) - 1) << width + 1
    return bits.to_bytes(8, "little")


def _sub_block(kind: int, content: bytes) -> bytes:
    odd = len(content) % 2
    words = (len(content) + odd) // 2
    content += b"!" * odd  # padding that should say nothing
    if words < 256:
        return bytes([kind | 0x40 * odd, words]) + content
    return bytes([kind | 0x40 * odd | 0x80]) + words.to_bytes(3, "little") + content


def _block(body: bytes, total: int, samples: int) -> bytes:
    flags = 0x0480_1805  # 16 bits, mono, 44.1 kHz, first and last block
    crc = -pow(3, samples, 1 << 32) & 0xFFFF_FFFF
    head = struct.pack("<HBBII", 0x410, 0, 0, total, 0)
    head += struct.pack("<III", samples, flags, crc)
    return b"wvpk" + struct.pack("<I", 24 + len(body)) + head + body


def ape(seconds: float = 1.0) -> bytes:
    """Return silent Monkey's Audio, 44.1 kHz stereo, of frames that only say so."""
    count, block = round(seconds * 44_100), 9216
    frames = -(-count // block)
    sound = struct.pack("<III", 0x8000_0000, 3, 0) * frames
    packed = wav(0)
    tail = b"LIST" + MARKER
    first = 52 + 24 + 4 * (frames + 1) + len(packed)
    seeks = b"".join(struct.pack("<I", first + 12 * n) for n in range(frames))
    seeks += MARKER[:4]
    last = count - block * (frames - 1)
    header = struct.pack("<HHIIIHHI", 1000, 0, block, last, frames, 16, 2, 44_100)
    sizes = struct.pack(
        "<7I", 52, 24, len(seeks), len(packed), len(sound), 0, len(tail)
    )
    told = packed + sound + tail + header + seeks
    digest = hashlib.md5(told, usedforsecurity=False).digest()
    descriptor = b"MAC " + struct.pack("<HH", 3990, 0x4A52) + sizes + digest
    return descriptor + header + seeks + packed + sound + tail + apev2() + id3v1()


def ogg_speex(seconds: float = 1.0) -> bytes:
    """Return Ogg Speex of silent frames, with a version that names somebody."""
    version = MARKER[:20]
    fields = struct.pack("<13i", 1, 80, 8000, 0, 4, 1, -1, 160, 0, 1, 0, 0x4A61, 0x6E65)
    first = b"Speex   " + version + fields
    return ogg(first, [comment_of(MARKER)], b"\x07", 160, round(seconds * 8000))


def ogg_flac(seconds: float = 1.0) -> bytes:
    """Return Ogg FLAC with comments, a picture and private blocks."""
    total = round(seconds * 8000)
    info = struct.pack(">HH6xQ16x", 1024, 1024, 8000 << 44 | 15 << 36 | total)
    first = b"\x7fFLAC\1\0\0\3fLaC\0\0\0\x22" + info
    blocks = [(4, comment_of(MARKER)), (2, b"test" + MARKER), (0x86, PICTURE)]
    rest = [
        struct.pack(">I", kind << 24 | len(content)) + content
        for kind, content in blocks
    ]
    return ogg(first, rest, flac_frame(0, 1024), 1024, total)


def ogg_theora(seconds: float = 1.0) -> bytes:
    """Return Ogg Theora, 16 by 16 pixels: headers, and frames that repeat the last."""
    size = struct.pack(">HH", 1, 1) + bytes([0, 0, 16, 0, 0, 16, 0, 0])
    rates = struct.pack(">II", 25, 1) + bytes(7) + bytes(4)
    first = b"\x80theora\3\2\1" + size + rates + bytes(9)
    rest = [b"\x81theora" + comment_of(MARKER), b"\x82theora" + bytes(20)]
    return ogg(first[:42], rest, b"\x40", 1, round(seconds * 25))


def subtitles() -> bytes:
    """Return an Ogg stream of words, as it is multiplexed with sound."""
    return ogg(b"\x80kate\0\0\0" + MARKER.ljust(56, b"\0"), [MARKER], MARKER, 1, 2)


_PACKET = 512


def wma(seconds: float = 1.0, *, pictures: bool = False) -> bytes:
    """Return 16-bit mono PCM in ASF, with tags, names, dates and bytes in the padding.

    Args:
        pictures: adds a stream of video, and an index of it.
    """
    samples = wav(seconds)
    start = samples.index(b"data") + 8
    sound = samples[start:][: int.from_bytes(samples[start - 4 : start], "little")]
    step = 300
    parts = [sound[at : at + step] for at in range(0, len(sound), step)]
    packets = [_packet(n, part, pictures=pictures) for n, part in enumerate(parts)]
    data = struct.pack("<16sQH", MARKER[:16], len(packets), 0x0101) + b"".join(packets)
    data = _object("75b22636-668e-11cf-a6d9-00aa0062ce6c", data)
    streams = [_sound(), _pictures()] if pictures else [_sound()]
    tail = _simple_index() if pictures else b""
    listed = [*streams, *_words(), _extension()]
    size = 30 + 24 + 80 + sum(map(len, listed)) + len(data) + len(tail)
    hundred_ns = round(seconds * 10_000_000)
    told = struct.pack("<16sQQQ", MARKER[:16], size, _FILETIME, len(packets))
    told += struct.pack("<QQQ", hundred_ns, hundred_ns, 0)
    told += struct.pack("<IIII", 0xFFFF_FFF2, _PACKET, _PACKET, 128_000)
    listed.insert(0, _object("8cabdca1-a947-11cf-8ee4-00c00c205365", told))
    head = struct.pack("<IH", len(listed), 0x0201)
    header = _object("75b22630-668e-11cf-a6d9-00aa0062ce6c", head, *listed)
    return header + data + tail + MARKER


def _object(name: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return _guid(name) + struct.pack("<Q", 24 + len(body)) + body


def _guid(name: str) -> bytes:
    return UUID(name).bytes_le


def _packet(number: int, sound: bytes, *, pictures: bool) -> bytes:
    """Return a packet of sound, words for a stream that is not there, and padding."""
    payloads = [(1, sound), (5, MARKER)] + ([(2, b"picture")] if pictures else [])
    time = number * 1000 * 150 // 8000
    body = bytes([0x80 | len(payloads)])
    for stream, content in payloads:
        body += struct.pack("<BBIB", 0x80 | stream, number % 256, 0, 12)
        body += struct.pack("<II", len(content), time) + MARKER[:4]
        body += struct.pack("<H", len(content)) + content
    head = b"\x82\0\0\x11\x5d"
    padding = MARKER * 20
    padding = padding[: _PACKET - len(head) - 2 - 6 - len(body)]
    return head + struct.pack("<HIH", len(padding), time, 18) + body + padding


def _sound() -> bytes:
    wave = struct.pack("<HHIIHHH", 1, 1, 8000, 16_000, 2, 16, 0)
    return _stream("f8699e40-5b4d-11cf-a8fd-00805f5c442b", 1, wave + MARKER)


def _pictures() -> bytes:
    picture = struct.pack("<IiiHH4sIiiII", 40, 16, 16, 1, 24, b"WMV1", 0, 0, 0, 0, 0)
    told = struct.pack("<IIBH", 16, 16, 2, len(picture)) + picture
    return _stream("bc19efc0-5b4d-11cf-a8fd-00805f5c442b", 2, told)


def _stream(kind: str, number: int, told: bytes) -> bytes:
    none = _guid("20fb5700-5b55-11cf-a8fd-00805f5c442b")
    head = struct.pack("<QIIHI", 0, len(told), len(MARKER), number, 0x4A61_6E65)
    kinds = _guid(kind) + none
    return _object("b7dc0791-a9b7-11cf-8ee6-00c00c205365", kinds, head, told, MARKER)


def _words() -> list[bytes]:
    """Return descriptions, names of codecs, markers and scripts."""
    words = MARKER.decode().encode("utf-16-le")
    picture = "WM/Picture".encode("utf-16-le") + PICTURE
    return [
        _object("75b22633-668e-11cf-a6d9-00aa0062ce6c", bytes(10), words, MARKER),
        _object("d2d0a440-e307-11d2-97f0-00a0c95ea850", words, MARKER, picture),
        _object("86d15240-311d-11d0-a3a4-00a0c90348f6", words, MARKER),
        _object("f487cd01-a951-11cf-8ee6-00c00c205365", words, MARKER),
        _object("7bf875ce-468d-11d1-8d82-006097c9a2b2", b"\1\0\1\0\0\1\0\0", MARKER),
    ]


def _extension() -> bytes:
    """Return what programs add: a stream's name, a library of tags, free space."""
    named = bytes(48) + struct.pack("<HHQHH", 1, 0, 0, 1, 0)
    named += struct.pack("<HH", 0, len(MARKER)) + MARKER
    inner = [
        _object("14e6a5cb-c672-4332-8399-a96952065b5a", named),
        _object("44231c94-9498-49d1-a141-1d134e457054", MARKER),
        _object("1806d474-cadf-4509-a4ba-9aabcb96aae8", MARKER),
    ]
    size = struct.pack("<HI", 6, sum(map(len, inner)))
    clock = _guid("abd3d211-a9ba-11cf-8ee6-00c00c205365")
    return _object("5fbf03b5-a92e-11cf-8ee3-00c00c205365", clock, size, *inner)


def _simple_index() -> bytes:
    head = struct.pack("<16sQII", MARKER[:16], 10_000_000, 1, 1)
    entry = struct.pack("<IH", 0, 1)
    return _object("33000890-e5b1-11cf-89f4-00a0c90349cb", head, entry, MARKER)
