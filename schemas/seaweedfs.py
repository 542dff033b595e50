"""SeaweedFS's filer events, told as S3 records.

SeaweedFS has no bucket notifications; its filer tells of every change of a path. Its
webhook posts JSON (weed/notification/webhook/http.go: `key`, `event_type`, and as
`message` a filer_pb.EventNotification by Go's encoding/json, so bytes are base64); its
other queues send protobuf, which is not understood here. Objects are the files below
`/buckets/<bucket>/`, keys unquoted; a version of one is `<key>.versions/v_<version>`.
Seen on release 4.48.
"""

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

_BUCKETS = "/buckets/"
_PARTS = ".uploads/"  # where a multipart upload's parts wait
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_META = "x-amz-meta-"
_VERSION = "Seaweed-X-Amz-Version-Id"
_DELETE_MARKER = "Seaweed-X-Amz-Delete-Marker"


def is_filer_event(document: Mapping[str, Any]) -> bool:
    """Whether *document* looks like what the webhook posts."""
    return "event_type" in document and "message" in document


def created_record(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the S3 record of the object that an event created; None if none was.

    The event does not say how: a copy passes for a put.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, OverflowError: it is garbled.
    """
    message = document["message"]
    entry, before = message.get("new_entry"), message.get("old_entry")
    if entry is None or entry.get("is_directory"):
        return None
    path = f"{message['new_parent_path']}/{entry['name']}"
    extended = entry.get("extended") or {}
    # Tags, and the next version too, are an update that leaves the bytes alone.
    untouched = before and path == document["key"] and _data(before) == _data(entry)
    if untouched or _DELETE_MARKER in extended or not _is_object(path):
        return None
    return _record(path, entry, extended)


def _is_object(path: str) -> bool:
    bucket, _, key = path.removeprefix(_BUCKETS).partition("/")
    hidden = bucket.startswith(".") or key.startswith(_PARTS)
    return path.startswith(_BUCKETS) and key != "" and not hidden


def _record(
    path: str, entry: Mapping[str, Any], extended: Mapping[str, str]
) -> dict[str, Any]:
    attributes = entry.get("attributes") or {}
    version = _plain(extended.get(_VERSION, ""))
    bucket, _, key = path.removeprefix(_BUCKETS).partition("/")
    detail = {
        "key": quote_plus(key.removesuffix(f".versions/v_{version}")),
        "versionId": version,
        "size": attributes.get("file_size"),
        "contentType": attributes.get("mime"),
        "userMetadata": {
            name: _plain(value)
            for name, value in extended.items()
            if name.lower().startswith(_META)
        },
    }
    return {
        "eventName": "ObjectCreated:Put",
        "eventTime": _time(attributes),
        "s3": {"bucket": {"name": bucket}, "object": detail},
    }


def _data(entry: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return what an entry's bytes are known by: its chunks, or the bytes inline."""
    return [chunk["fid"] for chunk in entry.get("chunks") or ()], entry.get("content")


def _plain(encoded: str) -> str:
    return b64decode(encoded, validate=True).decode()


def _time(attributes: Mapping[str, Any]) -> str | None:
    if not attributes.get("mtime"):
        return None
    nanoseconds = attributes.get("mtime_ns") or 0
    since = timedelta(seconds=attributes["mtime"], microseconds=nanoseconds // 1000)
    return (_EPOCH + since).isoformat()
