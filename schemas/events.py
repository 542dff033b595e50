"""The one message: an object was created. Unquoting of keys lives here, once.

Format: S3 event notification JSON (AWS, "Event message structure"). MinIO and its
successor Silo (internal/event/event.go) and RustFS (crates/notify/src/event.rs) send it
in an envelope with `EventName`, `Key` and one record; AWS S3 sends records only, names
without `s3:`, and `s3:TestEvent` first. Keys are URL-quoted, blanks as `+`. SeaweedFS
sends something else (schemas/seaweedfs.py).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from schemas.errors import MalformedEvent
from schemas.objects import ObjectInfo, ObjectRef
from schemas.seaweedfs import created_record, is_filer_event

_CREATED = "ObjectCreated:"
# `ObjectCreated:*` would also bring PutTagging, PutRetention and PutLegalHold.
WAYS = ("Put", "Post", "CompleteMultipartUpload", "Copy")
_META = "x-amz-meta-"


@dataclass(frozen=True)
class ObjectCreated:
    """An object was created: a hint, never the truth.

    Attributes:
        way: how it was created, one of WAYS.
        metadata: as in ObjectInfo; empty when the sender left it out.
        occurred_at: the sender's clock; None when it gave none.
    """

    ref: ObjectRef
    way: str = "Put"
    size_bytes: int = 0
    media_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    occurred_at: datetime | None = None


def created(info: ObjectInfo, way: str = "Put") -> ObjectCreated:
    """Return the event that announces *info*."""
    return ObjectCreated(
        info.ref, way, info.size_bytes, info.media_type, info.metadata, info.modified_at
    )


def dump(event: ObjectCreated) -> bytes:
    """Return *event* as S3 notification JSON with one record."""
    at = event.occurred_at or datetime.now(UTC)
    detail: dict[str, Any] = {
        "key": quote_plus(event.ref.key),
        "size": event.size_bytes,
        "contentType": event.media_type,
        "userMetadata": {f"X-Amz-Meta-{k}": v for k, v in event.metadata.items()},
    }
    if event.ref.version:
        detail["versionId"] = event.ref.version
    record = {
        "eventVersion": "2.0",
        "eventSource": "pratique:s3",
        "eventTime": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "eventName": f"s3:{_CREATED}{event.way}",
        "s3": {"bucket": {"name": event.ref.bucket}, "object": detail},
    }
    return json.dumps({"EventName": record["eventName"], "Records": [record]}).encode()


def parse(body: bytes) -> list[ObjectCreated]:
    """Return the created objects that a notification names; tests name none.

    Raises:
        MalformedEvent: *body* is not a notification; the message says why not.
    """
    document = _document(body)
    try:
        events = [_event(record) for record in _records(document)]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as exc:
        # ASCII and cut short: the cause becomes a header and a log line.
        cause = f"{exc!a:.200}"
        raise MalformedEvent(f"a record lacks or garbles a field: {cause}") from exc
    return [event for event in events if event is not None]


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except UnicodeDecodeError as exc:
        raise MalformedEvent(
            "the message is neither text nor JSON; protobuf is not understood"
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise MalformedEvent("the message is not JSON") from exc
    if not isinstance(document, dict):
        raise MalformedEvent("the message is not a JSON object")
    return document


def _records(document: dict[str, Any]) -> list[Any]:
    if document.get("Event") == "s3:TestEvent":
        return []
    if is_filer_event(document):
        record = created_record(document)
        return [] if record is None else [record]
    records = document.get("Records")
    if not isinstance(records, list) or not records:
        raise MalformedEvent("the message has no Records")
    return records


def _event(record: Any) -> ObjectCreated | None:
    name = _text(record["eventName"]).removeprefix("s3:")
    way = name.removeprefix(_CREATED)
    if not name.startswith(_CREATED) or way not in WAYS:
        return None
    detail = record["s3"]["object"]
    return ObjectCreated(
        ref=_ref(record["s3"]["bucket"]["name"], detail),
        way=way,
        size_bytes=_size(detail.get("size") or 0),  # left out for empty objects
        media_type=_text(detail.get("contentType") or "application/octet-stream"),
        metadata=_metadata(detail.get("userMetadata") or {}),
        occurred_at=_time(record.get("eventTime")),
    )


def _ref(bucket: Any, detail: Any) -> ObjectRef:
    key = unquote_plus(_text(detail["key"]), errors="strict")
    version = _text(detail.get("versionId") or "null")
    if not (_text(bucket) and key):
        raise MalformedEvent("a record has no bucket name or no key")
    # A suspended bucket says "null": that is no version that could be pinned.
    return ObjectRef(bucket, key, None if version == "null" else version)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} where a text belongs")
    value.encode()  # JSON may smuggle in lone surrogates, which nothing can store
    return value


def _size(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("the size is not a number of bytes")
    return value


def _metadata(given: Mapping[str, Any]) -> dict[str, str]:
    # Only x-amz-meta-*: MinIO lets anyone add unsigned x-minio-meta-* headers.
    lowered = ((_text(k).lower(), _text(v)) for k, v in given.items())
    return {k.removeprefix(_META): v for k, v in lowered if k.startswith(_META)}


def _time(text: Any) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(_text(text))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
