"""What an S3 server says of objects, in headers and in listings."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from urllib3 import BaseHTTPResponse

from infra.stores.s3_requests import Requests
from schemas.errors import ObjectNotFound, Unavailable
from schemas.objects import ObjectInfo, ObjectRef

META = "x-amz-meta-"
_PAGE = 1000  # as many as S3 gives at once
_VERSION = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,1024}")


def version_in(headers: Mapping[str, str]) -> str | None:
    """Return the version that an answer is about; None in a bucket without."""
    version = headers.get("x-amz-version-id", "null")
    return None if version == "null" else version


def etag_in(headers: Mapping[str, str]) -> str:
    """Return what tells an object's bytes from others under its key.

    Raises:
        Unavailable: the answer has none, so it is no S3 server's.
    """
    if "etag" not in headers:
        raise Unavailable("the store's answer has no ETag")
    return headers["etag"]


def time_in(headers: Mapping[str, str], name: str) -> datetime:
    """Return the time in a header; the present where it has none."""
    try:
        return parsedate_to_datetime(headers.get(name, "")).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def info_in(ref: ObjectRef, headers: Mapping[str, str]) -> ObjectInfo:
    """Return what the answer to a HEAD or GET of the object *ref* says."""
    named = ((name.lower(), value) for name, value in headers.items())
    return ObjectInfo(
        ObjectRef(ref.bucket, ref.key, version_in(headers)),
        int(headers.get("content-length", "0")),
        headers.get("content-type", "application/octet-stream"),
        time_in(headers, "last-modified"),
        {k.removeprefix(META): v for k, v in named if k.startswith(META)},
    )


def describe(requests: Requests, ref: ObjectRef) -> ObjectInfo:
    """Return what is known of an object.

    Raises:
        ObjectNotFound: nothing is stored under *ref*.
    """
    answer = requests.send("HEAD", ref.bucket, ref.key, query=version_query(ref))
    return info_in(ref, answer.headers)


def version_query(ref: ObjectRef) -> dict[str, str]:
    """Return what names *ref*'s version in a request.

    Raises:
        ObjectNotFound: no server makes such versions. Events are forged: what a server
            answers to a path for a version looks like a fault of its own.
    """
    if ref.version is None:
        return {}
    if not _VERSION.fullmatch(ref.version):
        raise ObjectNotFound(f"{ref}: there can't be such a version")
    return {"versionId": ref.version}


def document(answer: BaseHTTPResponse, name: str) -> ElementTree.Element:
    """Return the XML element *name* that an answer consists of.

    Raises:
        Unavailable: it is something else, such as a page of a proxy.
    """
    try:
        root = ElementTree.fromstring(answer.data)  # noqa: S314  (our own server's)
    except ElementTree.ParseError as exc:
        raise Unavailable(f"the store's answer is no {name}") from exc
    if root.tag.rpartition("}")[2] != name:
        raise Unavailable(f"the store's answer is no {name}")
    return root


def scan(
    requests: Requests, bucket: str, prefix: str, page: int = _PAGE
) -> Iterator[ObjectInfo]:
    """Return every version and marker under *prefix*, a page at a time.

    MinIO could put metadata into a listing, but writes their keys there unescaped:
    `PUT ?x-amz-meta-<…>` by anyone who may put would break the listing, or add objects
    to it that are not there (tested).
    """
    query = {"versions": "", "encoding-type": "url", "prefix": prefix}
    query |= {"max-keys": str(page)}
    while True:
        answer = requests.send("GET", bucket, query=query)
        root = document(answer, "ListVersionsResult")
        for element in root:
            info = _entry(bucket, element)
            if info is not None:
                yield info
        if _text(root, "IsTruncated") != "true":
            return
        # A key begins anew with the version after the last one seen.
        query["key-marker"] = unquote_plus(_text(root, "NextKeyMarker"))
        query["version-id-marker"] = _text(root, "NextVersionIdMarker")
        if not query["key-marker"]:  # it would begin again, for ever
            raise Unavailable(f"the listing of {bucket} breaks off")


def _entry(bucket: str, element: ElementTree.Element) -> ObjectInfo | None:
    kind = element.tag.rpartition("}")[2]
    if kind not in ("Version", "DeleteMarker"):
        return None
    version = _text(element, "VersionId")
    key = unquote_plus(_text(element, "Key"))
    ref = ObjectRef(bucket, key, None if version == "null" else version)
    at = datetime.fromisoformat(_text(element, "LastModified"))
    size = int(_text(element, "Size") or 0)
    return ObjectInfo(ref, size, "", at, marker=kind == "DeleteMarker")


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{{*}}{name}") or ""
