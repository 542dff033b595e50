"""BMP: pixels keep every bit that means something, and nothing else is left."""

import struct
from dataclasses import replace
from io import BytesIO

import pytest

from functions.sanitizer.core import Limits
from functions.sanitizer.verify.images import carriers
from infra.samples import images
from infra.samples.bitmaps import Dib, bmp
from tests.functions.sanitizer.judged import cleaned, findings, judged, opened

_SECRET = b"48.8583N 2.2945E by Jane Doe"
_RGBA = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)


def _pixels(data: bytes) -> bytes:
    (at,) = struct.unpack_from("<I", data, 10)
    return data[at:]


def _shown(data: bytes) -> bytes:
    return opened(data).convert("RGBA").tobytes()


def _runs(code: bytes) -> Dib:
    return Dib(4, [b""] * 2, 8, _palette(2), compression=1, pixels=code)


def _palette(count: int) -> bytes:
    return b"".join(
        bytes((7 * n & 255, 5 * n & 255, 3 * n + 1 & 255, 0)) for n in range(count)
    )


_KINDS = {
    "1": Dib(11, [b"\xa5\xa0", b"\x5a\x40"], 1, _palette(2)),
    "4": Dib(3, [b"\x12\x30", b"\x4f\xe0"], 4, _palette(16)),
    "8": Dib(3, [b"\x01\x02\xff", b"\x03\x04\xfe"], 8, _palette(256)),
    "8 few": Dib(3, [b"\x01\x02\x03", b"\x03\x00\x02"], 8, _palette(4)),
    "16": Dib(2, [b"\x34\x12\x78\x56"], 16),
    "16 masks": Dib(
        *(2, [b"\x34\x92\x78\xf6"], 16, b"", False, 3),
        masks=struct.pack("<3I", 0xF800, 0x7E0, 0x1F),
    ),
    "24": Dib(3, [bytes(range(9)), bytes(range(9, 18))], 24),
    "24 down": Dib(3, [bytes(range(9)), bytes(range(9, 18))], 24, top_down=True),
    "32 alpha": Dib(
        *(2, [b"\1\2\3\4\5\6\7\x08"], 32, b"", False, 3),
        extension=_RGBA + b"BGRs" + bytes(48),
    ),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_pixels_stay(kind: str) -> None:
    source = bmp(_KINDS[kind])

    output = cleaned(source)

    assert _pixels(output) == _pixels(source)
    assert opened(output).mode == opened(source).mode
    assert (
        opened(output).convert("RGBA").tobytes()
        == opened(source).convert("RGBA").tobytes()
    )


def test_masks_that_pillow_does_not_know_stay() -> None:
    masks = struct.pack("<3I", 0x3FF00000, 0xFFC00, 0x3FF)
    source = bmp(Dib(1, [b"\xff\xff\xff\x3f"], 32, compression=3, masks=masks))

    output = cleaned(source)

    assert masks in output
    assert _pixels(output) == b"\xff\xff\xff\x3f"


def test_the_older_header_becomes_the_common_one() -> None:
    core = struct.pack("<IHHHH", 12, 2, 1, 1, 8)
    table = b"".join(bytes((n, 255 - n, 3)) for n in range(256))
    source = struct.pack("<2sIII", b"BM", 798, 0, 794) + core + table + b"\x05\x09\0\0"

    output = cleaned(source)

    assert (
        opened(output).convert("RGB").tobytes()
        == opened(source).convert("RGB").tobytes()
    )
    assert output[14] == 40


@pytest.mark.parametrize(
    ("bits", "code", "expected"),
    [
        (8, b"\3\5\1\6\0\0\0\4\1\2\3\4\0\1", [b"\5\5\5\6", b"\1\2\3\4"]),
        (8, b"\0\2\2\0\2\7\0\0\0\3\1\2\3\0\0\0\0\1", [b"\0\0\7\7", b"\1\2\3\0"]),
        (8, b"\4\1\0\1", [b"\1\1\1\1", b"\0\0\0\0"]),
        (4, b"\4\x12\0\0\0\4\x34\x56\0\1", [b"\x12\x12", b"\x34\x56"]),
        (4, b"\3\x12\0\0\0\3\x34\x50\0\0\0\1", [b"\x12\x10", b"\x34\x50"]),
    ],
)
def test_run_lengths_are_decoded(bits: int, code: bytes, expected: list[bytes]) -> None:
    kind = {8: 1, 4: 2}[bits]
    dib = Dib(4, [b""] * 2, bits, _palette(8), compression=kind, pixels=code)

    output = cleaned(bmp(dib))

    assert _pixels(output) == b"".join(row.ljust(4, b"\0") for row in expected)


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        (bmp(_KINDS["24"], gap=_SECRET), "application_data"),
        (bmp(_KINDS["24"], trailer=_SECRET), "trailing_data"),
        (bmp(_KINDS["24"])[:6] + b"Jane" + bmp(_KINDS["24"])[10:], "application_data"),
        (bmp(Dib(3, [bytes(9)] * 2, 24, padding=b"J")), "padding"),
        (bmp(Dib(1, [b"\1\2\3J"] * 3, 32)), "padding"),
        (bmp(Dib(11, [b"\xa5\xbf"], 1, _palette(2))), "padding"),
        (bmp(Dib(3, [b"\0\1\1"], 8, _palette(2) + b"Jane")), "hidden_colours"),
    ],
)
def test_what_nobody_sees_is_dropped_and_named(source: bytes, finding: str) -> None:
    output = cleaned(source)

    assert _SECRET not in output
    assert finding in findings(source)
    assert findings(output) == set()
    assert (
        opened(output).convert("RGB").tobytes()
        == opened(source).convert("RGB").tobytes()
    )


def test_colours_under_full_transparency_are_black() -> None:
    row = b"\1\2\3\xff" + b"Jan\0"
    extension = _RGBA + b"BGRs" + bytes(48)

    output = cleaned(bmp(Dib(2, [row], 32, compression=3, extension=extension)))

    assert _pixels(output) == b"\1\2\3\xff" + bytes(4)


def _version_5(kind: bytes, at: int, size: int) -> bytes:
    return _RGBA + kind + bytes(48) + struct.pack("<4I", 4, at, size, 0)


def test_an_embedded_profile_stays_without_its_owner() -> None:
    profile = images.profile()
    rows = [b"\1\2\3"]
    extension = _version_5(b"DEBM", 124 + 4, len(profile))
    source = bmp(Dib(1, rows, 24, extension=extension), trailer=profile)

    output = cleaned(source)

    (at,) = struct.unpack_from("<I", output, 14 + 112)
    assert output[14 + at + 36 : 14 + at + 40] == b"acsp"
    assert images.MARKER not in output
    assert findings(source) == {"colour_profile"}


def test_the_path_of_a_linked_profile_is_dropped() -> None:
    path = b"C:\\Users\\Jane\\monitor.icc\0"
    extension = _version_5(b"KNIL", 124 + 4, len(path))
    source = bmp(Dib(1, [b"\1\2\3"], 24, extension=extension), trailer=path)

    output = cleaned(source)

    assert b"Jane" not in output
    assert "colour_profile" in findings(source)


def test_a_calibrated_colour_space_stays() -> None:
    calibration = bytes(range(1, 49))
    extension = _RGBA + bytes(4) + calibration

    output = cleaned(bmp(Dib(1, [b"\1\2\3"], 24, extension=extension)))

    assert calibration in output


@pytest.mark.parametrize(
    ("dib", "reason"),
    [
        (
            Dib(1, [b"\0"], 24, compression=4),
            "unsupported_image",
        ),
        (Dib(1, [b"\0"], 24, compression=5), "unsupported_image"),
        (Dib(4, [b"\x1b"], 2, _palette(4)), "unsupported_image"),
        (Dib(100_000, [bytes(3)], 24), "unreadable_image"),
        (Dib(1 << 30, [b""] * 9, 8, _palette(2)), "too_many_pixels"),
        (
            _runs(b"\4"),
            "unreadable_image",
        ),
        (
            _runs(b"\0\x09\1"),
            "unreadable_image",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(dib: Dib, reason: str) -> None:
    result, output = judged(bmp(dib))

    assert (result.verdict, result.reason) == ("rejected", reason)
    assert output == b""


def test_runs_over_and_over_the_same_row_end_with_the_file() -> None:
    code = b"\xff\1" * 1000 + b"\0\1"
    dib = Dib(2, [b""], 8, _palette(2), compression=1, pixels=code)

    assert _pixels(cleaned(bmp(dib))) == b"\1\1\0\0"


def test_more_runs_than_are_decoded_at_once_stay() -> None:
    code = bytes(range(1, 256)) * 39 + b"\1\0\1"  # 4973 runs, then the end
    width = sum(code[:-3:2])
    dib = Dib(width, [b""], 8, _palette(256), compression=1, pixels=code)

    source = bmp(dib)

    assert _shown(cleaned(source)) == _shown(source)


def test_a_bmp_larger_than_allowed_is_refused() -> None:
    result, _ = judged(bmp(_KINDS["24"]), limits=Limits(max_pixels=5))

    assert result.reason == "too_many_pixels"


@pytest.mark.parametrize(
    ("at", "carrier"),
    [
        (6, "a file header with something else"),
        (50, "a header with something else"),
        (-3, "bits beside the pixels"),
    ],
)
def test_the_reader_sees_what_the_writer_would_not_write(at: int, carrier: str) -> None:
    whole = bytearray(cleaned(bmp(_KINDS["24"])))
    whole[at] = 0x4A

    assert carriers(BytesIO(whole), "image/bmp") == [carrier]


def test_the_reader_sees_what_follows_the_end() -> None:
    whole = cleaned(bmp(_KINDS["24"]))

    assert "bytes after the end" in carriers(BytesIO(whole + b"\0"), "image/bmp")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_what_pillow_writes_stays_as_it_looks(mode: str) -> None:
    source = BytesIO()
    images.gradient((17, 9)).convert(mode).save(source, "BMP")

    output = cleaned(source.getvalue())

    assert _shown(output) == _shown(source.getvalue())


@pytest.mark.parametrize("top_down", [False, True])
def test_runs_past_their_row_stay_as_pillow_shows_them(*, top_down: bool) -> None:
    code = b"\0\x08" + b"\1\0\1\0\0\1\1\0" + b"\0\1"
    dib = Dib(4, [b""] * 2, 8, _palette(2), compression=1, pixels=code)
    source = bmp(replace(dib, top_down=top_down))

    output = cleaned(source)

    assert opened(output).tobytes() == opened(source).tobytes()


def test_runs_that_fill_the_picture_need_no_end() -> None:
    code = b"\4\1" + b"\0\0" + b"\4\0"
    source = bmp(Dib(4, [b""] * 2, 8, _palette(2), compression=1, pixels=code))

    output = cleaned(source)

    assert opened(output).tobytes() == opened(source).tobytes()


def test_runs_that_end_early_are_refused() -> None:
    code = b"\4\1" + b"\0\0" + b"\3\0"
    dib = Dib(4, [b""] * 2, 8, _palette(2), compression=1, pixels=code)

    result, _ = judged(bmp(dib))

    assert result.reason == "unreadable_image"
