"""The functions' pure cores on local files."""

import hashlib
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from functions.metadata.core import describe
from functions.sanitizer.core import SANITIZER_VERSION, Limits, sanitize
from schemas.assets import Policy
from schemas.errors import Rejected, SandboxFailure
from schemas.ports import Sandbox

_BLOCK = 1 << 20


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


def sanitize_file(
    sandbox: Sandbox, path: Path, out: Path, policy: Policy, limits: Limits
) -> dict[str, Any]:
    """Judge *path*; write what may pass into *out*, under the name of its digest.

    Returns a row for people and programs; `failed` says that no verdict was reached.
    """
    with path.open("rb") as source, TemporaryFile() as output:
        row: dict[str, Any] = {
            "sanitizer_version": SANITIZER_VERSION,
            "source_sha256": _sha256(source),
            "sha256": None,
            "out": None,
        }
        try:
            result = sandbox.run(sanitize, source, output, policy, limits)
        except Rejected as exc:
            return {**row, "verdict": "rejected", "reason": exc.reason}
        except SandboxFailure as exc:
            return {**row, "verdict": None, "reason": exc.reason, "failed": True}
        row |= result.model_dump(mode="json")
        if result.verdict in ("clean", "passed"):
            row["sha256"] = _sha256(output)
            row["out"] = str(_keep(output, out, path, row["source_sha256"]))
    return row


def describe_file(sandbox: Sandbox, path: Path) -> dict[str, Any]:
    """Return `metadata`, or `error` where the file can't be read."""
    try:
        reader = FileRanges(path)
        return {"metadata": sandbox.run(describe, reader, "application/octet-stream")}
    except Rejected as exc:
        return {"error": exc.detail or exc.reason}
    except SandboxFailure as exc:
        return {"error": exc.reason, "failed": True}


def _keep(output: BinaryIO, out: Path, path: Path, source_sha256: str) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    # Two folders may hold files of one name: the digest keeps them apart.
    kept = out / f"{path.stem}.{source_sha256[:8]}{path.suffix}"
    output.seek(0)
    with kept.open("wb") as stream:
        while block := output.read(_BLOCK):
            stream.write(block)
    return kept


def _sha256(stream: BinaryIO) -> str:
    stream.seek(0)
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()
