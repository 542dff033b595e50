"""The functions' pure cores on local files."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from uuid import uuid4

from functions.metadata.core import describe
from functions.sanitizer.core import SANITIZER_VERSION, Limits, sanitize
from functions.sanitizer.promotion import digest
from schemas.errors import Rejected, SandboxFailure
from schemas.policies import Policy
from schemas.ports import Sandbox

_BLOCK = 1 << 20
_STEM_BYTES = 200
_SUFFIX_BYTES = 20


class FileRanges:
    """A local file as a RangedReader."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size_bytes = path.stat().st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from *offset*."""
        with self._path.open("rb") as stream:
            stream.seek(offset)
            return stream.read(length)


def unjudged(reason: str | None) -> dict[str, Any]:
    """Return the row of a file on which no verdict was reached."""
    return {
        "verdict": None,
        "reason": reason,
        "detail": None,
        "media_type": None,
        "exif_stripped": False,
        "findings": [],
        "out": None,
        "source_sha256": None,
        "sha256": None,
        "sanitizer_version": SANITIZER_VERSION,
    }


def sanitize_file(
    sandbox: Sandbox, path: Path, out: Path, policy: Policy, limits: Limits
) -> dict[str, Any]:
    """Judge *path*; write what may pass into *out*, under a name with its digest.

    Returns a row for people and programs, always with the same fields.

    Raises:
        OSError: the file can't be read, or its copy not be written.
    """
    row = unjudged(None)
    with path.open("rb") as source, TemporaryFile() as output:
        row["source_sha256"] = digest(source)[0]
        try:
            result = sandbox.run(sanitize, source, output, policy, limits)
        except Rejected as exc:
            refused = {"verdict": "rejected", "reason": exc.reason}
            return {**row, **refused, "detail": exc.detail or None}
        except SandboxFailure as exc:
            return {**row, "reason": exc.reason, "detail": exc.detail or None}
        row |= result.model_dump(mode="json")
        if result.verdict in ("clean", "passed"):
            row["sha256"] = digest(output)[0]
            row["out"] = str(_keep(output, out, path, row["source_sha256"]))
    return row


def describe_file(sandbox: Sandbox, path: Path) -> dict[str, Any]:
    """Return `metadata`, or `error` where they can't be told.

    `failed` says that the file could not be judged at all.

    Raises:
        OSError: the file can't be read.
    """
    try:
        reader = FileRanges(path)
        facts = sandbox.run(describe, reader, "application/octet-stream")
        return {"metadata": facts, "error": None, "failed": False}
    except Rejected as exc:
        return undescribed(exc.detail or exc.reason, failed=False)
    except SandboxFailure as exc:
        return undescribed(exc.reason, failed=True)


def undescribed(error: str, *, failed: bool) -> dict[str, Any]:
    """Return the row of a file that can't be described."""
    return {"metadata": None, "error": error, "failed": failed}


def _keep(output: BinaryIO, out: Path, path: Path, source_sha256: str) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    kept = out / _name(path, source_sha256)
    draft = out / f".{uuid4().hex}"
    output.seek(0)
    try:
        with draft.open("xb") as stream:
            shutil.copyfileobj(output, stream, _BLOCK)
        draft.replace(kept)  # nobody takes half a copy for a clean one
    finally:
        draft.unlink(missing_ok=True)
    return kept


def _name(path: Path, source_sha256: str) -> str:
    """Return a copy's name: two folders may hold files of one name.

    It fits into the 255 bytes that file systems allow, and is always text.
    """
    told = len(os.fsencode(path.suffix)) <= _SUFFIX_BYTES
    stem, suffix = (path.stem, path.suffix) if told else (path.name, "")
    stem = os.fsencode(stem)[:_STEM_BYTES].decode(errors="ignore")
    suffix = os.fsencode(suffix).decode(errors="ignore")
    return f"{stem}.{source_sha256[:8]}{suffix}"
