"""Keys: how an object's place in a bucket and its asset belong together.

quarantine  uploads/<project_id>/<asset_id>     form and presigned uploads
            drops/<project_id>/<any key>        direct drops
clean       <project_id>/<asset_id>/<filename>
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from schemas.assets import Asset, Consent, is_consent, receipt
from schemas.lifecycle import ConsentState
from schemas.objects import ObjectInfo, ObjectRef

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DROPS = uuid5(NAMESPACE_URL, "pratique:drops")
CONSENT_METADATA = "user-consent"  # as x-amz-meta-user-consent on a dropped object


def is_project_id(text: str) -> bool:
    """Whether *text* may name a project: 1 to 64 of A-Z a-z 0-9 . _ -"""
    return _PROJECT.fullmatch(text) is not None


def upload_key(project_id: str, asset_id: UUID) -> str:
    """Return the quarantine key of a form or presigned upload."""
    return f"uploads/{project_id}/{asset_id}"


def clean_key(project_id: str, asset_id: UUID, filename: str) -> str:
    """Return the clean key of an asset; *filename* is made safe."""
    return f"{project_id}/{asset_id}/{safe_filename(filename)}"


def clean_asset_id(key: str) -> UUID | None:
    """Return the asset that a clean key belongs to, or None for a foreign key."""
    parts = key.split("/")
    return _uuid(parts[1]) if len(parts) >= 3 else None


@dataclass(frozen=True)
class Source:
    """What a quarantine key says of its asset."""

    asset_id: UUID
    project_id: str
    dropped: bool


def source_of(ref: ObjectRef) -> Source | None:
    """Return the asset that a quarantine object belongs to; None for odd keys.

    A drop's id follows from bucket, key and version, so a second drop under the
    same key is a second asset and everyone who adopts one derives the same id.
    """
    door, _, rest = ref.key.partition("/")
    project_id, _, name = rest.partition("/")
    if not name or not is_project_id(project_id) or not is_storable(ref.key):
        return None
    if door == "drops":
        identity = f"{ref.bucket}\n{ref.key}\n{ref.version or ''}"
        return Source(uuid5(_DROPS, identity), project_id, dropped=True)
    asset_id = _uuid(name) if door == "uploads" else None
    return Source(asset_id, project_id, dropped=False) if asset_id else None


def adopt(
    info: ObjectInfo, at: datetime, *, copied: bool
) -> tuple[Asset, Consent | None]:
    """Return row and receipt (None without consent) of a dropped object.

    Consent comes only from the object's own metadata, and not when it was made by a
    server-side copy, which carries along what was once said of another object.

    Raises:
        ValueError: the object is no drop.
    """
    source = source_of(info.ref)
    if source is None or not source.dropped:
        raise ValueError(f"{info.ref} is no drop")
    consent = not copied and is_consent(info.metadata.get(CONSENT_METADATA))
    asset = Asset(
        id=source.asset_id,
        project_id=source.project_id,
        filename=clean_text(info.ref.key.rpartition("/")[2])[:255],
        reference=info.ref.key.split("/", 2)[2][:255],
        door="drop",
        type=clean_text(info.media_type)[:255],
        source_key=info.ref.key,
        source_version=info.ref.version,
        consent=ConsentState.GIVEN if consent else ConsentState.MISSING,
        created_at=at,
        updated_at=at,
    )
    return asset, receipt(asset, None, at) if consent else None


def clean_text(text: str) -> str:
    """Return *text* without control characters and bidirectional marks."""
    kept = (c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return "".join(kept)


def safe_filename(filename: str) -> str:
    """Return a name that is safe as a key segment and a download: ASCII, 100 at most.

    Letters lose their accents; everything but A-Z a-z 0-9 . _ - becomes `_`.
    """
    plain = unicodedata.normalize("NFKD", filename).replace("\\", "/")
    name = "".join(c for c in plain.rpartition("/")[2] if not unicodedata.combining(c))
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", name)
    name = re.sub(r"[_-]*\.[._-]*", ".", name).rstrip("._-")
    stem, dot, suffix = name.rpartition(".")
    if not (dot and re.fullmatch(r"[A-Za-z0-9]{1,10}", suffix)):
        stem, suffix = name, ""
    room = 99 - len(suffix) if suffix else 100
    stem = stem.strip("._-")[:room].rstrip("._-") or "file"
    return f"{stem}.{suffix}" if suffix else stem


def is_storable(text: str) -> bool:
    """Whether every store and database takes *text*: no NUL, no lone surrogate."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _uuid(text: str) -> UUID | None:
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    return parsed if str(parsed) == text else None
