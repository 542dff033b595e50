"""The headers of a form's part (RFC 7578, with RFC 5987 file names)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from functions.upload.parts import CHARSETS, FormError

_BOUNDARY = re.compile(r"[!-~](?:[ -~]{0,68}[!-~])?")  # RFC 2046: at most 70
# Possessive, so that no header costs more than its length.
_PARAMETER = re.compile(r';\s*+([^\s=;]++)\s*+=\s*+("(?:[^"\\]|\\.)*+"|[^;]*+)')


@dataclass(frozen=True)
class Head:
    """What the headers say of a part; without *filename* it is a field."""

    name: str
    filename: str | None
    media_type: str
    charset: str


def boundary_of(content_type: str) -> str:
    """Return the boundary that a request's Content-Type names.

    Raises:
        FormError: unsupported_media_type, or body_malformed without a boundary.
    """
    kind, parameters = _parsed(content_type)
    if kind != "multipart/form-data":
        raise FormError("unsupported_media_type", "Send multipart/form-data.")
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise FormError("body_malformed", "The form's boundary is missing or odd.")
    return boundary


def media_type_of(content_type: str) -> str:
    """Return a Content-Type without its parameters, in lower case."""
    return _parsed(content_type)[0]


def head_of(headers: Mapping[str, bytes]) -> Head:
    """Return what a part's headers say; names of *headers* in lower case.

    Raises:
        FormError: body_malformed: no name, or an encoding that RFC 7578 forbids.
    """
    kind, disposition = _parsed(text(headers.get("content-disposition", b"")))
    if kind != "form-data" or "name" not in disposition:
        raise FormError("body_malformed", "A part of the form has no name.")
    # Decoding base64 here would let a file be other bytes than those that were sent.
    encoding = headers.get("content-transfer-encoding", b"binary").strip().lower()
    if encoding not in (b"binary", b"8bit", b"7bit"):
        raise FormError("body_malformed", "A part has a transfer encoding.")
    media_type, parameters = _parsed(text(headers.get("content-type", b"")))
    return Head(
        name=disposition["name"],
        filename=_extended(disposition) or disposition.get("filename"),
        media_type=media_type or "application/octet-stream",
        charset=parameters.get("charset", "utf-8"),
    )


def text(raw: bytes) -> str:
    """Return a header's text: UTF-8 as browsers send it, else ISO 8859-1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _parsed(header: str) -> tuple[str, dict[str, str]]:
    """Return a header's value in lower case and its parameters; the first of equals."""
    value, _, _ = header.partition(";")
    parameters: dict[str, str] = {}
    for name, quoted in _PARAMETER.findall(header):
        parameters.setdefault(name.lower(), _unquoted(quoted.strip()))
    return value.strip().lower(), parameters


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return value[1:-1].replace("\\\\", "\\").replace('\\"', '"')


def _extended(disposition: Mapping[str, str]) -> str | None:
    """Return the name in filename* (charset'language'percent-encoded), if it is one."""
    charset, _, rest = disposition.get("filename*", "").partition("'")
    codec = CHARSETS.get(charset.lower())
    if codec is None:
        return None
    return unquote_to_bytes(rest.partition("'")[2]).decode(codec, "replace")
