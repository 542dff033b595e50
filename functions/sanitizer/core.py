"""The sanitizer's pure core: bytes in, clean bytes and a verdict out."""

import shutil
from typing import BinaryIO, Literal

from pydantic import BaseModel

from functions.sanitizer import hidden
from functions.sanitizer.av.strip import SUPPORTED, identify, strip
from functions.sanitizer.findings import Finding
from functions.sanitizer.formats import HEAD_BYTES, OCTETS, Kind, sniff
from functions.sanitizer.images.rebuild import rebuild
from functions.sanitizer.limits import Limits
from functions.sanitizer.verify import av, images
from schemas.errors import Rejected
from schemas.policies import Policy

__all__ = ["SANITIZER_VERSION", "Limits", "Sanitized", "sanitize"]

# Raised with every change of what is written, also by a codec (tests: test_version).
SANITIZER_VERSION = "2"
_BLOCK = 1 << 20


class Sanitized(BaseModel):
    """What was decided about a file, and what was written.

    `clean`: rebuilt or stripped, and verified. `passed`: copied untouched, by policy.
    `held`, `rejected`: nothing was written; *reason* says why, *detail* more to people.
    """

    verdict: Literal["clean", "passed", "held", "rejected"]
    media_type: str
    reason: str | None = None
    detail: str | None = None
    exif_stripped: bool = False
    findings: list[Finding] = []


def sanitize(
    source: BinaryIO, output: BinaryIO, policy: Policy, limits: Limits
) -> Sanitized:
    """Judge *source* and write what may be promoted to *output*.

    The same bytes under the same policy and limits lead to the same bytes.

    Args:
        source: seekable; read from its start.
        output: empty, seekable and readable: the result is re-opened and verified.
    """
    source.seek(0)
    found = sniff(source.read(HEAD_BYTES))
    try:
        if found.kind is Kind.IMAGE:
            return _image(source, output, found.media_type, policy, limits)
        media_type = identify(source, found.media_type)
        if media_type in SUPPORTED:
            return _sound(source, output, media_type, policy)
        return _other(source, output, policy)
    except Rejected as exc:
        _empty(output)
        return _refused("rejected", exc.reason, found.media_type, exc.detail)


def _image(
    source: BinaryIO, output: BinaryIO, media_type: str, policy: Policy, limits: Limits
) -> Sanitized:
    lossless = policy.images == "lossless"
    findings, left = _rewritten(source, output, media_type, limits, lossless=lossless)
    if left and lossless:  # it hides in the coded picture, which goes for that
        _empty(output)
        findings, left = _rewritten(source, output, media_type, limits)
    _verified(left)
    return Sanitized(
        verdict="clean", media_type=media_type, exif_stripped=True, findings=findings
    )


def _rewritten(
    source: BinaryIO,
    output: BinaryIO,
    media_type: str,
    limits: Limits,
    *,
    lossless: bool = False,
) -> tuple[list[Finding], list[str]]:
    """Write the image again; return what went, and what is left."""
    try:
        findings = rebuild(source, output, media_type, limits, lossless=lossless)
    except Rejected as exc:
        if exc.reason != "verification_failed":
            raise
        return [], [exc.detail]
    return findings, images.carriers(output, media_type)


def _sound(
    source: BinaryIO, output: BinaryIO, media_type: str, policy: Policy
) -> Sanitized:
    try:
        findings = strip(source, output, media_type)
    except Rejected as exc:
        if exc.reason != "unreadable_audio":
            raise
        _empty(output)
        return _other(source, output, policy)
    _verified(av.carriers(output, media_type))
    # A container may declare any bytes a sample, a whole photo among them.
    if not policy.released and hidden.carries_image(output):
        _empty(output)
        return _refused("held", "hidden_image", media_type)
    return Sanitized(verdict="clean", media_type=media_type, findings=findings)


def _other(source: BinaryIO, output: BinaryIO, policy: Policy) -> Sanitized:
    """Let pass, hold or refuse what is neither image nor sound."""
    if policy.other == "reject":
        return _refused("rejected", "type_not_allowed")
    if not policy.released:
        if hidden.carries_image(source):
            return _refused("held", "hidden_image")
        if policy.other == "hold":
            return _refused("held", "held_by_policy")
    source.seek(0)
    shutil.copyfileobj(source, output, _BLOCK)
    return Sanitized(verdict="passed", media_type=OCTETS)


def _refused(
    verdict: Literal["held", "rejected"],
    reason: str,
    media_type: str = OCTETS,
    detail: str = "",
) -> Sanitized:
    return Sanitized(
        verdict=verdict, media_type=media_type, reason=reason, detail=detail or None
    )


def _verified(carriers: list[str]) -> None:
    if carriers:
        raise Rejected("verification_failed", "; ".join(carriers))


def _empty(output: BinaryIO) -> None:
    output.seek(0)
    output.truncate()
