"""What a clean object carries with it, and the record's facts read back from it."""

import hashlib
from typing import BinaryIO

from functions.sanitizer.core import SANITIZER_VERSION, Sanitized
from schemas.assets import Asset
from schemas.doors import clean_key
from schemas.facts import Promoted
from schemas.objects import ObjectInfo

_BLOCK = 1 << 20


def promotion(
    asset: Asset, result: Sanitized, *, source_sha256: str, sha256: str, size_bytes: int
) -> Promoted:
    """Return the fact that promoting *result* will establish."""
    assert result.verdict in ("clean", "passed")
    return Promoted(
        verdict=result.verdict,
        path=clean_key(asset.project_id, asset.id, asset.filename),
        media_type=result.media_type,
        size_bytes=size_bytes,
        sha256=sha256,
        source_sha256=source_sha256,
        sanitizer_version=SANITIZER_VERSION,
        exif_stripped=result.exif_stripped,
        findings=tuple(str(finding) for finding in result.findings),
    )


def metadata_of(asset: Asset, promoted: Promoted) -> dict[str, str]:
    """Return the metadata with which the clean object is stored."""
    return {
        "asset-id": str(asset.id),
        "verdict": promoted.verdict,
        "media-type": promoted.media_type,
        "sha256": promoted.sha256,
        "source-sha256": promoted.source_sha256,
        "sanitizer-version": promoted.sanitizer_version,
        "exif-stripped": str(promoted.exif_stripped).lower(),
        "findings": ",".join(promoted.findings),
        "consent-hash": asset.consent_hash or "",
    }


def promoted_from(info: ObjectInfo) -> Promoted:
    """Return the fact that a stored clean object stands for."""
    kept = info.metadata
    return Promoted(
        verdict="clean" if kept["verdict"] == "clean" else "passed",
        path=info.ref.key,
        media_type=kept["media-type"],
        size_bytes=info.size_bytes,
        sha256=kept["sha256"],
        source_sha256=kept["source-sha256"],
        sanitizer_version=kept["sanitizer-version"],
        exif_stripped=kept["exif-stripped"] == "true",
        findings=tuple(filter(None, kept.get("findings", "").split(","))),
    )


def digest(stream: BinaryIO) -> tuple[str, int]:
    """Return the SHA-256 (hexadecimal) and the size in bytes of a whole stream."""
    stream.seek(0)
    sha256 = hashlib.sha256()
    while block := stream.read(_BLOCK):
        sha256.update(block)
    return sha256.hexdigest(), stream.tell()
