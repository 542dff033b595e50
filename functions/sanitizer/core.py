"""The sanitizer's pure core: bytes in, clean bytes and a verdict out."""

from typing import BinaryIO, Literal

from pydantic import BaseModel

from functions.sanitizer.findings import Finding
from schemas.assets import Policy

SANITIZER_VERSION = "1"


class Limits(BaseModel):
    """What an image may ask for; judged from its header before it is decoded."""

    max_pixels: int = 64_000_000
    max_frames: int = 1_000
    max_total_pixels: int = 512_000_000  # of all frames


class Sanitized(BaseModel):
    """What was decided about a file, and what was written.

    `clean`: rebuilt or stripped, and verified. `passed`: copied untouched, by policy.
    `held`, `rejected`: nothing was written; *reason* says why.
    """

    verdict: Literal["clean", "passed", "held", "rejected"]
    media_type: str
    reason: str | None = None
    exif_stripped: bool = False
    findings: list[Finding] = []


def sanitize(
    source: BinaryIO, output: BinaryIO, policy: Policy, limits: Limits
) -> Sanitized:
    """Judge *source* and write what may be promoted to *output*.

    Args:
        source: seekable; read from its start.
        output: empty, seekable and readable: the result is re-opened and verified.
    """
    raise NotImplementedError
