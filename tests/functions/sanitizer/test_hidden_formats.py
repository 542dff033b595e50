"""Images that can't be rebuilt don't hide behind what stands before their header."""

import gzip

import pytest

from functions.sanitizer.formats import HEAD_BYTES, OCTETS, sniff
from tests.functions.sanitizer.judged import judged

_SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><text>a</text></svg>"
_COMMENT = b"<!-- A licence. -->"
_PCX = bytes((10, 5, 1, 8, 0, 0, 0, 0, 63, 0, 63, 0)) + bytes(52)
_PCX += b"\0\1\x40\0" + bytes(124)
_TGA = b"\0\0\2" + bytes(9) + b"\x40\0\x40\0\x18\x20" + bytes(64 * 64 * 3)
_METAFILE = b"\1\0\x09\0\0\3" + bytes(20)
_EMF = b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(60)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_SVG, id="svg"),
        pytest.param(b"\xef\xbb\xbf \n" + _SVG, id="behind a mark"),
        pytest.param(
            b"<?xml version='1.0'?>\n" + _COMMENT + _SVG, id="behind a prolog"
        ),
        pytest.param(b"<!--" + bytes(30_000) + b"-->" + _SVG, id="behind a licence"),
        pytest.param(
            b"<!DOCTYPE svg PUBLIC '-//W3C' 'x' [<!ENTITY a 'b>'> ] >" + _SVG, id="type"
        ),
        pytest.param(_SVG.decode().encode("utf-16"), id="utf-16"),
        pytest.param(b"<s:svg xmlns:s='http://www.w3.org/2000/svg'/>", id="named"),
        pytest.param(gzip.compress(_SVG), id="svgz"),
        pytest.param(gzip.compress(_EMF), id="emz"),
        pytest.param(gzip.compress(_METAFILE), id="wmz"),
        pytest.param(_METAFILE, id="wmf"),
        pytest.param(_EMF, id="emf"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n", id="eps"),
        pytest.param(b"\xc5\xd0\xd3\xc6" + bytes(30), id="eps with a preview"),
        pytest.param(b"gimp xcf v011\0" + bytes(30), id="xcf"),
        pytest.param(b"icns\0\0\1\0" + bytes(30), id="icns"),
        pytest.param(_PCX, id="pcx"),
        pytest.param(_TGA, id="tga"),
        pytest.param(bytes(522) + b"\0\x11\2\xff\x0c\0" + bytes(30), id="pict"),
        pytest.param(b"id=ImageMagick  version=1.0\n", id="miff"),
        pytest.param(b"SIMPLE  =                    T / FITS", id="fits"),
        pytest.param(bytes(128) + b"DICM" + bytes(30), id="dicom"),
        pytest.param(b"P3\n# by\n2 1\n255\n1 2 3 4 5 6", id="ppm"),
        pytest.param(b"P7\nWIDTH 4\n", id="pam"),
        pytest.param(b"/* XPM */ static char *a[] = {", id="xpm"),
    ],
)
def test_an_image_that_nobody_rebuilds_is_refused(data: bytes) -> None:
    result, output = judged(data)

    assert (result.verdict, result.reason) == ("rejected", "unsupported_image")
    assert output == b""


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<!DOCTYPE html><p>" + _SVG, id="html with a drawing"),
        pytest.param(
            b"<?xml version='1.0'?><doc>" + _SVG + b"</doc>", id="xml with one"
        ),
        pytest.param(b"%!PS-Adobe-3.0\n%%Pages: 3\n", id="postscript"),
        pytest.param(gzip.compress(b"a letter"), id="gzip"),
        pytest.param(b"\x1f\x8b\x08" + bytes(30), id="broken gzip"),
        pytest.param(b"P3 4 players are fun, P1 2024 10 more", id="text"),
        pytest.param(b"BM is not a bitmap", id="two letters"),
        pytest.param(b"\n\5\1\1" + b"text " * 40, id="like pcx"),
        pytest.param(bytes(600), id="zeros"),
        pytest.param(b"\xffWPC" + bytes(5) + b"\x0a" + bytes(30), id="wordperfect"),
    ],
)
def test_what_is_no_image_goes_by_policy(data: bytes) -> None:
    result, output = judged(data)

    assert (result.verdict, output) == ("passed", data)


@pytest.mark.parametrize(
    "piece",
    [b"<??>", b"<!---->", b"<!DOCTYPE a [ ] >", b" ", b"<!DOCTYPE a [ ] ", b"<?"],
)
def test_a_prolog_can_not_be_cut_in_endless_ways(piece: bytes) -> None:
    found = sniff((piece * HEAD_BYTES)[:HEAD_BYTES])

    assert found.media_type == OCTETS
