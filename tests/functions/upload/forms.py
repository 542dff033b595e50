"""Multipart bodies, written by hand: any order, any header."""

from typing import Any

TYPE = "multipart/form-data; boundary=frontier"
PROJECT = ("project_id", "p1")
CONSENT = ("user_consent", "true")
FILE = ("file", "cat.png", b"bytes of a cat")


def part(name: str, *content: str | bytes, header: str = "") -> bytes:
    """Return a part: a field's value, or a file's name and bytes."""
    named = f'Content-Disposition: form-data; name="{name}"'
    if len(content) == 2:
        named += f'; filename="{content[0]!s}"'
    lines = [named, *([header] if header else []), ""]
    body = content[-1]
    data = body if isinstance(body, bytes) else body.encode()
    return b"--frontier\r\n" + "\r\n".join(lines).encode() + b"\r\n" + data + b"\r\n"


def form(*parts: Any) -> dict[str, Any]:
    """Return the request of a form, whose parts are bytes or arguments of part."""
    written = [p if isinstance(p, bytes) else part(*p) for p in parts]
    body = b"".join(written) + b"--frontier--\r\n"
    return {"content": body, "headers": {"content-type": TYPE}}
