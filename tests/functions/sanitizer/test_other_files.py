"""What is neither image nor sound: passed, held or refused."""

import os
import random
import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from functions.sanitizer.core import Limits, sanitize
from infra.samples import audio, images
from schemas.policies import Policy
from tests.functions.sanitizer.judged import judged

_TEXT = (
    b"About GIF89a images, PNG, BM and II* are formats; RIFF too. Exif is metadata.\n"
    * 99
)
_PLAIN = images.jpeg(images.gradient())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_TEXT, id="text about images"),
        pytest.param(b"BMW and P6 are cars", id="text that starts like an image"),
        pytest.param("Grüße – 你好".encode("utf-16"), id="utf-16"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0", id="one byte"),
        pytest.param(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF", id="pdf"),
        pytest.param(b"<!DOCTYPE html><p><svg></svg>", id="html"),
        pytest.param(random.Random(1).randbytes(1 << 20), id="noise"),
        pytest.param(b"\xff\xd8 is not enough for a JPEG", id="half a signature"),
    ],
)
def test_it_passes_untouched_as_a_download_of_no_type(data: bytes) -> None:
    result, output = judged(data)

    assert result.verdict == "passed"
    assert result.media_type == "application/octet-stream"
    assert not result.exif_stripped
    assert output == data


def test_a_policy_may_hold_it() -> None:
    result, output = judged(_TEXT, other="hold")

    assert (result.verdict, result.reason) == ("held", "held_by_policy")
    assert output == b""


def test_a_policy_may_refuse_it() -> None:
    result, output = judged(_TEXT, other="reject")

    assert (result.verdict, result.reason) == ("rejected", "type_not_allowed")
    assert output == b""


def test_somebody_may_release_what_was_held() -> None:
    source = b"junk" + _PLAIN

    result, output = judged(source, other="hold", released=True)

    assert result.verdict == "passed"
    assert output == source


def test_a_release_opens_no_way_for_images() -> None:
    result, output = judged(images.photo(), released=True)

    assert result.verdict == "clean"
    assert images.MARKER not in output


def _stored(data: bytes) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("holiday.bin", data)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"junk" + _PLAIN, id="jpeg behind junk"),
        pytest.param(b" " + images.photo(), id="photo behind a space"),
        pytest.param(b"junk" + images.png_with_everything(), id="png"),
        pytest.param(b"JUNK" + images.png_with_everything()[4:], id="headless png"),
        pytest.param(b"\0" + _PLAIN[1:], id="headless jpeg"),
        pytest.param(b"junk" + images.animated_gif(), id="gif"),
        pytest.param(b"junk" + images.webp(), id="webp"),
        pytest.param(_stored(_PLAIN), id="jpeg in a zip"),
        pytest.param(b"%PDF-1.7\nstream\n" + _PLAIN + b"\nendstream", id="pdf"),
        pytest.param(b"junk\0\0\0\x18ftypheic\0\0\0\0mif1heic", id="heic"),
        pytest.param(b"junk\0\0\0\x1cftypmp42\0\0\0\0isommif1avif", id="avif"),
        pytest.param(b"junk\0\0\0\x0cJXL \r\n\x87\n", id="jxl"),
        pytest.param(b"junkExif\0\0II*\0", id="exif"),
        pytest.param(b"junk<x:xmpmeta xmlns:x='adobe:ns:meta/'>", id="xmp"),
        pytest.param(b"junkFUJIFILMCCD-RAW 0201", id="raf"),
        pytest.param(
            b"junkII*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\1\0\0\0\1\1\3\0\1\0\0\0\1\0\0\0",
            id="tiff or raw",
        ),
    ],
)
def test_a_picture_where_none_belongs_is_held(data: bytes) -> None:
    result, output = judged(data)

    assert (result.verdict, result.reason) == ("held", "hidden_image")
    assert output == b""


@pytest.mark.parametrize("edge", [-8, -3, 0])
def test_a_picture_is_found_across_the_edge_of_a_block(edge: int) -> None:
    data = bytes((1 << 20) + edge) + _PLAIN

    result, _ = judged(data)

    assert result.reason == "hidden_image"


def test_sound_that_cannot_be_followed_goes_the_way_of_other_files() -> None:
    result, output = judged(b"fLaC" + bytes(10))

    assert result.verdict == "passed"
    assert output == b"fLaC" + bytes(10)


def test_sound_that_cannot_be_followed_and_carries_a_picture_is_held() -> None:
    result, _ = judged(b"fLaC" + bytes(10) + _PLAIN)

    assert result.reason == "hidden_image"


def test_memory_does_not_grow_with_the_file() -> None:
    class Endless(BytesIO):
        """Eighty megabytes of noise that are never held."""

        size, at = 80 << 20, 0

        def seek(self, at: int, whence: int = 0, /) -> int:
            self.at = at if whence == 0 else self.size + at
            return self.at

        def read(self, size: int | None = -1, /) -> bytes:
            wanted = self.size if size is None or size < 0 else size
            count = max(0, min(wanted, self.size - self.at))
            self.at += count
            return bytes(count)

    with Path(os.devnull).open("r+b") as output:
        tracemalloc.start()
        result = sanitize(Endless(), output, Policy(), Limits())
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert result.verdict == "passed"
    assert peak_bytes < 16 << 20


def test_a_photo_in_the_samples_of_a_sound_is_held() -> None:
    sound = bytearray(audio.wav(seconds=2.0))
    photo = images.photo()
    at = sound.index(b"data") + 1000
    sound[at : at + len(photo)] = photo

    result, output = judged(bytes(sound))

    assert (result.verdict, result.reason) == ("held", "hidden_image")
    assert output == b""
