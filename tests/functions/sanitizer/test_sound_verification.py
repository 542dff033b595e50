"""The second reader of the less common containers names whatever was planted."""

import io
import struct

import pytest

from functions.sanitizer.av.strip import strip
from functions.sanitizer.verify.av import carriers
from infra.samples import audio, sounds


def clean(data: bytes, media_type: str) -> bytes:
    output = io.BytesIO()
    strip(io.BytesIO(data), output, media_type)
    return output.getvalue()


AIFF = clean(sounds.aiff(seconds=0.01), "audio/aiff")
AIFC = clean(sounds.aiff(seconds=0.01, coding=b"sowt"), "audio/aiff")
RF64 = clean(sounds.rf64(seconds=0.01), "audio/wav")
AAC = clean(sounds.adts(), "audio/aac")
WAVPACK = clean(sounds.wavpack(), "audio/x-wavpack")
APE = clean(sounds.ape(), "audio/x-ape")
THEORA = clean(sounds.ogg_theora(), "video/ogg")
WMA = clean(sounds.wma(seconds=0.1), "audio/x-ms-wma")
WMV = clean(sounds.wma(seconds=0.1, pictures=True), "video/x-ms-wmv")


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def grown(data: bytes, at: int, more: bytes) -> bytes:
    """A WavPack file with a sub-block more in its first block."""
    (size,) = struct.unpack_from("<I", data, 4)
    return changed(data[:at] + more + data[at:], 4, struct.pack("<I", size + len(more)))


PACKETS = WMA.index(b"\x82\0\0\x11")
PLANTED = [
    ("audio/aiff", AIFF + b"NAME\0\0\0\4Jane"),
    ("audio/aiff", AIFF + b"x"),
    ("audio/aiff", changed(AIFF, 4, bytes(4))),
    ("audio/aiff", changed(AIFF, AIFF.index(b"SSND") + 8, b"Jane")),
    ("audio/aiff", changed(AIFF, AIFF.index(b"CHAN") + 16, b"Jane")),
    ("audio/aiff", changed(AIFC, AIFC.index(b"sowt") + 4, b"\1J")),
    ("audio/aiff", changed(AIFC, AIFC.index(b"FVER") + 8, b"Jane")),
    ("audio/aiff", AIFF[: AIFF.index(b"SSND")]),
    ("audio/wav", changed(RF64, 44, b"\1")),
    ("audio/wav", changed(RF64, 20, b"Jane")),
    ("audio/wav", RF64 + b"LIST\x04\0\0\0INFO"),
    ("audio/wav", changed(RF64, RF64.index(b"data") + 4, bytes(4))),
    ("audio/aac", audio.id3v2() + AAC),
    ("audio/aac", AAC + audio.id3v1()),
    ("audio/aac", AAC[:32] + b"hidden" + AAC[32:]),
    ("audio/aac", b""),
    ("audio/x-wavpack", WAVPACK + audio.apev2()),
    ("audio/x-wavpack", audio.id3v2() + WAVPACK),
    ("audio/x-wavpack", grown(WAVPACK, 32, b"\x21\x02Jane")),
    ("audio/x-wavpack", grown(WAVPACK, 32, b"\x66\x02Jan!")),
    ("audio/x-wavpack", grown(WAVPACK, 32, b"\x2f\x01Ja")),
    ("audio/x-wavpack", grown(WAVPACK, 32, b"\x27\x03JaneRo")),
    ("audio/x-wavpack", WAVPACK[:-1]),
    ("audio/x-ape", APE + audio.id3v1()),
    ("audio/x-ape", changed(APE, 6, b"J")),
    ("audio/x-ape", changed(APE, 24, b"\4")),
    ("audio/x-ape", changed(APE, 36, b"Jane")),
    ("audio/x-ape", changed(APE, 80, b"Jane")),
    ("audio/x-ape", changed(APE, len(APE) - 4, b"Jane")),
    ("video/ogg", sounds.ogg_theora()),
    ("video/ogg", THEORA + sounds.subtitles()),
    ("audio/x-ms-wma", WMA + b"Jane"),
    ("audio/x-ms-wma", changed(WMA, 30 + 24, b"Jane")),
    ("audio/x-ms-wma", changed(WMA, 30 + 24 + 24, b"Jane")),
    ("audio/x-ms-wma", changed(WMA, 24, b"\7")),
    ("audio/x-ms-wma", changed(WMA, PACKETS - 26, b"Jane")),
    ("audio/x-ms-wma", changed(WMA, PACKETS + 508, b"Jane")),
    ("audio/x-ms-wma", changed(WMA, PACKETS + 29, b"Jane")),
    ("audio/x-ms-wma", changed(WMA, PACKETS + 14, b"\x87")),
    ("audio/x-ms-wma", sounds.wma(seconds=0.1)),
    ("video/x-ms-wmv", changed(WMV, len(WMV) - 38, b"Jane")),
    ("video/x-ms-wmv", changed(WMV, len(WMV) - 6, b"Jane")),
    ("video/x-ms-wmv", WMV + WMV[-62:-6]),
]


@pytest.mark.parametrize(("media_type", "data"), PLANTED)
def test_whatever_was_planted_is_named(media_type: str, data: bytes) -> None:
    names = carriers(io.BytesIO(data), media_type)

    assert names


def tag(value: bytes, *, more: bytes = b"", count: int = 1) -> bytes:
    name = b"REPLAYGAIN_TRACK_GAIN\0"
    item = struct.pack("<II", len(value), 0) + name + value + more
    sizes = struct.pack("<III", 2000, 32 + len(item), count)
    ends = [b"APETAGEX" + sizes + bytes([0, 0, 0, place]) for place in (0xA0, 0x80)]
    return ends[0] + bytes(8) + item + ends[1] + bytes(8)


@pytest.mark.parametrize(
    ("value", "more", "count"),
    [
        (b"-6.50 Jane", b"", 1),
        (b"-6.50 dB", audio.MARKER, 1),
        (b"-6.50 dB", b"", 7),
        (b"-6.5 dB", b"", 1),
    ],
)
def test_a_tag_of_more_than_gains_is_named(
    value: bytes, more: bytes, count: int
) -> None:
    plain = carriers(io.BytesIO(WAVPACK + tag(b"-6.50 dB")), "audio/x-wavpack")

    planted = WAVPACK + tag(value, more=more, count=count)

    assert plain == []
    assert carriers(io.BytesIO(planted), "audio/x-wavpack")
