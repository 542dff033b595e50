"""Audio is stripped by allow-list: the marker goes, the sound stays."""

import io
import wave
from collections.abc import Callable

import pytest
from mutagen.ogg import OggPage

from functions.sanitizer.av.strip import SUPPORTED, identify, strip
from functions.sanitizer.findings import Finding
from functions.sanitizer.verify.av import carriers
from infra.samples import audio
from schemas.errors import Rejected
from tests.functions.sanitizer.stripping import stripped

TAGGED: dict[str, tuple[str, bytes]] = {
    "wav": ("audio/wav", audio.wav()),
    "flac": ("audio/flac", audio.flac()),
    "mp3": ("audio/mpeg", audio.mp3()),
    "vorbis": ("audio/ogg", audio.ogg_vorbis()),
    "opus": ("audio/ogg", audio.ogg_opus()),
    "m4a": ("audio/mp4", audio.m4a()),
    "m4a with moov last": ("audio/mp4", audio.m4a(moov_first=False)),
}
ALL = pytest.mark.parametrize(("media_type", "data"), TAGGED.values(), ids=TAGGED)
TAGS, COVER = Finding.AUDIO_TAGS, Finding.COVER_PICTURE
OTHERS: dict[str, set[Finding]] = {
    "wav": {Finding.APPLICATION_DATA, Finding.TIMESTAMP},
    "flac": {Finding.APPLICATION_DATA, Finding.PADDING},
    "mp3": {Finding.PADDING},
    "vorbis": set(),
    "opus": set(),
    "m4a": {
        *(Finding.APPLICATION_DATA, Finding.GPS_POSITION, Finding.PADDING),
        *(Finding.TEXT, Finding.TIMESTAMP),
    },
}


def pages(data: bytes) -> list[OggPage]:
    """The pages of an Ogg file, by mutagen."""
    stream, found = io.BytesIO(data), []
    while stream.tell() < len(data):
        found.append(OggPage(stream))  # type: ignore[no-untyped-call] # has no types
    return found


def packets(data: bytes) -> list[tuple[list[bytes], int]]:
    """The packets of sound in an Ogg file with their positions."""
    return [(page.packets, page.position) for page in pages(data) if page.position]


@ALL
def test_nothing_of_the_marker_survives(media_type: str, data: bytes) -> None:
    clean = stripped(data, media_type)

    assert audio.MARKER in data
    assert audio.MARKER[:6] not in clean


@ALL
def test_the_second_reader_finds_carriers_before_and_none_after(
    media_type: str, data: bytes
) -> None:
    clean = stripped(data, media_type)

    assert carriers(io.BytesIO(data), media_type)
    assert carriers(io.BytesIO(clean), media_type) == []


@pytest.mark.parametrize("name", OTHERS)
def test_the_findings_name_the_kinds_of_what_went(name: str) -> None:
    media_type, data = TAGGED[name]

    findings = strip(io.BytesIO(data), io.BytesIO(), media_type)

    assert findings == sorted({TAGS, COVER, *OTHERS[name]})


@ALL
def test_a_clean_file_comes_out_as_it_is(media_type: str, data: bytes) -> None:
    clean, again = stripped(data, media_type), io.BytesIO()

    findings = strip(io.BytesIO(clean), again, media_type)

    assert (findings, again.getvalue()) == ([], clean)


def test_the_samples_of_a_wav_file_are_the_same() -> None:
    data = audio.wav(seconds=0.5)

    clean = stripped(data, "audio/wav")

    with wave.open(io.BytesIO(data)) as before, wave.open(io.BytesIO(clean)) as after:
        assert after.getparams() == before.getparams()
        assert after.readframes(4000) == before.readframes(4000)


def test_the_frames_of_a_flac_file_are_the_same() -> None:
    data = audio.flac()

    clean = stripped(data, "audio/flac")

    frames = data[data.index(b"\xff\xf8") : -128]
    assert clean.endswith(frames)


def test_a_seek_table_stays_without_what_its_placeholders_hid() -> None:
    clean = stripped(audio.flac(), "audio/flac")

    assert clean[42] == 0x80 | 3
    assert clean[64:82] == b"\xff" * 8 + bytes(10)


def test_the_frames_of_an_mp3_file_and_its_counts_are_the_same() -> None:
    data = audio.mp3()

    clean = stripped(data, "audio/mpeg")

    frames = data[data.index(b"\xff\xfb") : data.index(b"APETAGEX")]
    info_end = 21 + 120 + 36
    assert clean[:info_end] == frames[:info_end]
    assert clean[208:] == frames[208:]


@pytest.mark.parametrize(
    ("at", "old", "words"),
    [(4, bytes(17), b"Jane"), (40, bytes(8), b"Jane Roe"), (145, b"3.100", b"Roe 7")],
)
def test_words_in_an_encoders_header_go(at: int, old: bytes, words: bytes) -> None:
    clean = stripped(audio.mp3(), "audio/mpeg")
    spoiled = clean[:at] + words + clean[at + len(words) :]

    mended = stripped(spoiled, "audio/mpeg")

    assert clean[at : at + len(old)] == old
    assert words not in mended
    assert carriers(io.BytesIO(spoiled), "audio/mpeg")
    assert carriers(io.BytesIO(mended), "audio/mpeg") == []


def test_a_comment_block_that_lies_about_its_size_hides_nothing() -> None:
    clean = stripped(audio.flac(), "audio/flac")
    start = clean.index(b"\xff\xf8")
    words = audio.MARKER + b"\4\0\0\3" + audio.MARKER
    spoiled = clean[:42] + b"\x84\0\0\3" + words + clean[start:]

    mended = stripped(spoiled, "audio/flac")

    assert mended.endswith(clean[start:])
    assert audio.MARKER not in mended


@pytest.mark.parametrize("make", [audio.ogg_vorbis, audio.ogg_opus])
def test_the_packets_of_an_ogg_file_are_the_same(make: Callable[[], bytes]) -> None:
    data = make()

    clean = stripped(data, "audio/ogg")

    assert packets(clean) == packets(data)


@pytest.mark.parametrize("moov_first", [True, False])
def test_the_samples_of_an_m4a_file_are_the_same_at_the_same_place(
    *, moov_first: bool
) -> None:
    data = audio.m4a(moov_first=moov_first)

    clean = stripped(data, "audio/mp4")

    packet = bytes.fromhex("210049900219002380")
    start, end = data.index(packet), data.rindex(packet) + len(packet)
    assert clean[start:end] == data[start:end]
    assert len(clean) == len(data)


def test_bytes_behind_the_tables_of_vorbis_go() -> None:
    data = audio.ogg_vorbis()
    whole = pages(data)
    setup = next(page for page in whole if page.packets[-1][:7] == b"\5vorbis")
    setup.packets[-1] += audio.MARKER
    spoiled = b"".join(bytes(page.write()) for page in whole)  # type: ignore[no-untyped-call] # has no types

    mended = stripped(spoiled, "audio/ogg")

    assert mended == stripped(data, "audio/ogg")


def test_chained_recordings_stay_chained_under_numbers_of_their_own() -> None:
    data = audio.ogg_opus() + audio.ogg_opus()

    clean = stripped(data, "audio/ogg")

    assert packets(clean) == packets(data)
    assert len({page.serial for page in pages(clean)}) == 2


@pytest.mark.parametrize(
    ("name", "behind"),
    [("wav", b"LIST"), ("flac", b"TAG"), ("mp3", b"APETAGEX"), ("m4a", audio.MARKER)],
)
def test_sound_that_was_cut_stays_cut(name: str, behind: bytes) -> None:
    media_type, data = TAGGED[name]
    cut = data[: data.rindex(behind) - 10]

    clean = stripped(cut, media_type)

    assert stripped(data, media_type).startswith(clean)
    assert carriers(io.BytesIO(clean), media_type) == []


def test_junk_between_frames_goes_and_the_frames_around_it_stay() -> None:
    clean = stripped(audio.mp3(xing=False), "audio/mpeg")
    middle = 208 * 10
    spoiled = clean[:middle] + b"junk" + audio.MARKER + audio.id3v2() + clean[middle:]

    mended = stripped(spoiled, "audio/mpeg")

    assert mended == clean


def test_a_cut_frame_goes_where_tags_behind_it_show_that_the_file_was_whole() -> None:
    clean = stripped(audio.mp3(xing=False), "audio/mpeg")

    mended = stripped(clean[:-50] + audio.id3v1(), "audio/mpeg")

    assert mended == clean[:-208]


def test_flac_behind_an_id3_tag_is_told_from_mp3() -> None:
    data = audio.id3v2() + audio.flac()

    media_type = identify(io.BytesIO(data), "audio/mpeg")

    assert media_type == "audio/flac"
    assert stripped(data, media_type) == stripped(audio.flac(), media_type)


def test_mp4_without_pictures_is_told_from_video() -> None:
    sound, film = audio.m4a(), audio.m4a().replace(b"soun", b"vide")

    found = [identify(io.BytesIO(data), "video/mp4") for data in (sound, film)]

    assert found == ["audio/mp4", "video/mp4"]


@pytest.mark.parametrize("media_type", sorted(SUPPORTED))
@pytest.mark.parametrize("data", [b"", b"RIFF", b"ID3", b"\xff" * 100, bytes(5000)])
def test_what_is_no_sound_is_unreadable(media_type: str, data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        strip(io.BytesIO(data), io.BytesIO(), media_type)

    assert caught.value.reason == "unreadable_audio"
