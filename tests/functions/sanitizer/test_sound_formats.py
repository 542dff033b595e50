"""The less common containers: the marker goes, the sound stays, gains stay."""

import hashlib
import io
import struct

import pytest

from functions.sanitizer.av.strip import identify, strip
from functions.sanitizer.findings import Finding
from functions.sanitizer.formats import sniff
from functions.sanitizer.verify.av import carriers
from infra.samples import audio, sounds
from schemas.errors import Rejected
from tests.functions.sanitizer.stripping import stripped

SOUNDS: dict[str, tuple[str, bytes]] = {
    "aiff": ("audio/aiff", sounds.aiff()),
    "aiff-c": ("audio/aiff", sounds.aiff(coding=b"sowt")),
    "rf64": ("audio/wav", sounds.rf64()),
    "adts": ("audio/aac", sounds.adts()),
    "wavpack": ("audio/x-wavpack", sounds.wavpack()),
    "ape": ("audio/x-ape", sounds.ape()),
    "speex": ("audio/ogg", sounds.ogg_speex()),
    "ogg flac": ("audio/ogg", sounds.ogg_flac()),
    "theora": ("video/ogg", sounds.ogg_theora()),
    "words beside sound": ("audio/ogg", sounds.subtitles() + audio.ogg_opus()),
    "wma": ("audio/x-ms-wma", sounds.wma()),
    "wmv": ("video/x-ms-wmv", sounds.wma(pictures=True)),
}
ALL = pytest.mark.parametrize(("media_type", "data"), SOUNDS.values(), ids=SOUNDS)
TAGS, COVER, OTHER = (
    Finding.AUDIO_TAGS,
    Finding.COVER_PICTURE,
    Finding.APPLICATION_DATA,
)
FINDINGS: dict[str, set[Finding]] = {
    "aiff": {TAGS, COVER, OTHER, Finding.COMMENT, Finding.TIMESTAMP},
    "rf64": {TAGS, COVER, OTHER, Finding.TIMESTAMP},
    "adts": {TAGS, COVER},
    "wavpack": {TAGS, COVER, OTHER, Finding.PADDING},
    "ape": {TAGS},
    "speex": {TAGS, COVER},
    "ogg flac": {TAGS, COVER, OTHER},
    "theora": {TAGS, COVER},
    "words beside sound": {TAGS, COVER, OTHER},
    "wma": {
        *(TAGS, COVER, Finding.PADDING),
        *(Finding.TEXT, Finding.TIMESTAMP, Finding.TRAILING_DATA),
    },
}


def found_out(data: bytes) -> str:
    return identify(io.BytesIO(data), sniff(data).media_type)


@ALL
def test_the_bytes_say_what_it_is(media_type: str, data: bytes) -> None:
    found = found_out(data)

    assert found == media_type


@ALL
def test_nothing_of_the_marker_survives(media_type: str, data: bytes) -> None:
    clean = stripped(data, media_type)

    assert audio.MARKER in data
    assert audio.MARKER[:4] not in clean
    assert audio.MARKER[:4].decode().encode("utf-16-le") not in clean


@ALL
def test_the_second_reader_finds_carriers_before_and_none_after(
    media_type: str, data: bytes
) -> None:
    clean = stripped(data, media_type)

    assert carriers(io.BytesIO(data), media_type)
    assert carriers(io.BytesIO(clean), media_type) == []


@pytest.mark.parametrize("name", FINDINGS)
def test_the_findings_name_the_kinds_of_what_went(name: str) -> None:
    media_type, data = SOUNDS[name]

    findings = strip(io.BytesIO(data), io.BytesIO(), media_type)

    assert findings == sorted(FINDINGS[name])


@ALL
def test_a_clean_file_comes_out_as_it_is(media_type: str, data: bytes) -> None:
    clean, again = stripped(data, media_type), io.BytesIO()

    findings = strip(io.BytesIO(clean), again, media_type)

    assert (findings, again.getvalue()) == ([], clean)


def test_the_samples_and_the_layout_of_an_aiff_file_are_the_same() -> None:
    data = sounds.aiff()

    clean = stripped(data, "audio/aiff")

    def layout(file: bytes) -> bytes:
        return file[file.index(b"COMM") :][:26]

    samples = data[data.index(b"SSND") + 48 : data.index(b"ID3 ")]
    assert clean[clean.index(b"SSND") + 16 :] == samples
    assert layout(clean) == layout(data)


def test_a_coding_of_aiff_is_named_by_its_letters_only() -> None:
    clean = stripped(sounds.aiff(coding=b"sowt"), "audio/aiff")

    assert clean[clean.index(b"COMM") :][26:32] == b"sowt\0\0"


def test_the_samples_of_a_large_wav_file_and_their_count_are_the_same() -> None:
    data = sounds.rf64()

    clean = stripped(data, "audio/wav")

    samples = data[data.index(b"data") + 8 : data.index(b"LIST")]
    assert clean[clean.index(b"data") + 8 :] == samples
    assert struct.unpack_from("<QQQI", clean, 20) == (len(clean) - 8, 16_000, 8000, 0)


def test_more_than_four_gigabytes_that_were_promised_stay_promised() -> None:
    data = bytearray(sounds.rf64())
    struct.pack_into("<Q", data, 28, 5 << 30)

    clean = stripped(bytes(data), "audio/wav")

    assert struct.unpack_from("<Q", clean, 28) == (5 << 30,)
    assert carriers(io.BytesIO(clean), "audio/wav") == []


def test_mp3_in_a_wav_file_loses_the_tags_between_its_frames() -> None:
    layout = struct.pack("<HHIIHHH", 0x55, 1, 44_100, 8000, 1, 0, 12) + bytes(12)
    parts = ((b"fmt ", layout), (b"data", audio.mp3(seconds=0.2)))
    body = b"".join(name + struct.pack("<I", len(part)) + part for name, part in parts)
    data = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body

    clean = stripped(data, "audio/wav")

    sound = stripped(audio.mp3(seconds=0.2), "audio/mpeg")
    assert clean[clean.index(b"data") + 4 :] == struct.pack("<I", len(sound)) + sound
    assert carriers(io.BytesIO(clean), "audio/wav") == []


def test_the_frames_of_raw_aac_are_the_same() -> None:
    data = sounds.adts()

    clean = stripped(data, "audio/aac")

    start = data.index(b"\xff\xf1")
    frame = data[start : start + 16]
    assert clean == frame * 43


def test_the_sound_of_a_wavpack_file_and_its_checksums_are_the_same() -> None:
    data = sounds.wavpack()

    clean = stripped(data, "audio/x-wavpack")

    first = data.index(b"wvpk")
    assert clean[8:32] == data[first + 8 : first + 32]
    assert hashlib.md5(bytes(88_200)).digest() in clean
    assert data[data.index(b"\x05\x03") :][:16] in clean


def test_a_wavpack_block_that_loses_nothing_keeps_its_own_checksum() -> None:
    clean = bytearray(stripped(sounds.wavpack(), "audio/x-wavpack"))
    size = struct.unpack_from("<I", clean, 4)[0] + 8
    clean[size:size] = b"\x2f\x01ab"
    struct.pack_into("<I", clean, 4, size - 8 + 4)
    clean[27] |= 0x10

    again = stripped(bytes(clean), "audio/x-wavpack")

    assert again == bytes(clean)
    assert carriers(io.BytesIO(again), "audio/x-wavpack") == []


def test_the_frames_of_an_ape_file_are_found_at_their_new_places() -> None:
    data = sounds.ape()

    clean = stripped(data, "audio/x-ape")

    frames = [struct.unpack_from("<I", clean, 76 + 4 * n)[0] for n in range(5)]
    assert clean[frames[0] :] == data[data.index(b"\0\0\0\x80\3\0\0\0") :][:60]
    assert frames == [96, 108, 120, 132, 144]


def test_the_checksum_of_an_ape_file_is_that_of_what_is_left() -> None:
    clean = stripped(sounds.ape(), "audio/x-ape")

    digest = hashlib.md5(clean[96:] + clean[52:96]).digest()
    assert clean[36:52] == digest


@pytest.mark.parametrize("pictures", [False, True])
def test_the_payloads_of_a_wma_file_are_the_same(*, pictures: bool) -> None:
    media_type = "video/x-ms-wmv" if pictures else "audio/x-ms-wma"

    clean = stripped(sounds.wma(pictures=pictures), media_type)

    samples = audio.wav()
    start = samples.index(b"data") + 8
    sound = [samples[at : at + 300] for at in range(start, start + 15_900, 300)]
    assert all(part in clean for part in sound)
    assert (b"picture" in clean) == pictures


def test_the_header_of_a_wma_file_counts_what_is_there() -> None:
    clean = stripped(sounds.wma(), "audio/x-ms-wma")

    properties = clean.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")) + 24
    size, date, packets = struct.unpack_from("<QQQ", clean, properties + 16)
    assert (size, date, packets) == (len(clean), 0, 54)


def test_sound_in_wma_that_was_cut_stays_cut() -> None:
    data = sounds.wma()
    cut = data[: len(data) - 1000]

    clean = stripped(cut, "audio/x-ms-wma")

    assert len(clean) < len(stripped(data, "audio/x-ms-wma"))
    assert carriers(io.BytesIO(clean), "audio/x-ms-wma") == []


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        ("audio/aac", sounds.adts()),
        ("audio/flac", audio.id3v2() + audio.flac(seconds=0.2)),
        ("audio/x-wavpack", sounds.wavpack()),
        ("audio/x-ape", audio.id3v2() + sounds.ape()),
        ("audio/ogg", audio.id3v2() + audio.ogg_opus(seconds=0.2)),
        ("audio/x-musepack", audio.id3v2() + b"MP+\7" + bytes(40)),
    ],
)
def test_what_follows_an_id3_tag_says_what_a_file_is(
    media_type: str, data: bytes
) -> None:
    found = found_out(data)

    assert data.startswith(b"ID3")
    assert found == media_type


PROTECTION = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
DESCRIPTION = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        (b"WMV1", b"MJPG", "not on the list"),
        (DESCRIPTION, PROTECTION, "protected"),
        (b"\xc0\xef\x19\xbc", b"\xc0\xcf\xda\x59", "neither sound nor pictures"),
        (b"picture", b"\0\0\1\x1fJan", "carry text"),
    ],
)
def test_film_with_room_for_more_and_protected_sound_are_refused(
    old: bytes, new: bytes, detail: str
) -> None:
    data = sounds.wma(pictures=True)
    if detail == "carry text":
        data = data.replace(b"WMV1", b"WVC1")

    with pytest.raises(Rejected, match=detail):
        strip(io.BytesIO(data.replace(old, new)), io.BytesIO(), "video/x-ms-wmv")
