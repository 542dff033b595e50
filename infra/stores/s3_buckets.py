"""Making buckets of an S3 server, and looking whether they are made."""

from minio.commonconfig import ENABLED
from minio.versioningconfig import VersioningConfig
from minio.xml import Element, SubElement, getbytes, marshal

from infra.stores.s3_answers import document
from infra.stores.s3_errors import Refusal
from infra.stores.s3_requests import Requests
from schemas.errors import PratiqueError, SettingsError

_VERSIONING = {"versioning": ""}
_DEFAULT_REGION = "us-east-1"  # it may not be named


def provision(requests: Requests, bucket: str, *, versioned: bool) -> None:
    """Create *bucket*, or switch on the versions it lacks. Safe to run twice.

    Raises:
        SettingsError: it exists with versions and should have none; or it is not ours.
    """
    try:
        _send_xml(requests, bucket, {}, _configuration(requests.region))
    except PratiqueError as exc:
        if _code(exc) == "BucketAlreadyExists":
            raise SettingsError(f"bucket {bucket} is somebody else's") from exc
        if _code(exc) != "BucketAlreadyOwnedByYou":
            raise
    if has_versions(requests, bucket) is versioned:
        return
    if not versioned:
        # To suspend them would leave the versions there are where nobody looks.
        raise SettingsError(f"bucket {bucket} is there already, with versions")
    _send_xml(requests, bucket, _VERSIONING, marshal(VersioningConfig(ENABLED)))


def provisioned(requests: Requests, bucket: str, *, versioned: bool) -> bool:
    """Return whether *bucket* is there as provision would have it."""
    try:
        return has_versions(requests, bucket) is versioned
    except PratiqueError as exc:
        if _code(exc) == "NoSuchBucket":
            return False
        raise


def has_versions(requests: Requests, bucket: str) -> bool:
    """Return whether every put into *bucket* becomes a version."""
    answer = requests.send("GET", bucket, query=_VERSIONING)
    found = document(answer, "VersioningConfiguration")
    return found.findtext("{*}Status") == ENABLED


def ping(requests: Requests) -> None:
    """Return if the server answers and knows us; see ObjectStore."""
    try:
        requests.send("GET")
    except PratiqueError as exc:
        # It has checked who asks, and serves: not every user may list buckets.
        if _code(exc) != "AccessDenied":
            raise


def _send_xml(
    requests: Requests, bucket: str, query: dict[str, str], body: bytes
) -> None:
    length = {"Content-Length": str(len(body))}
    requests.send("PUT", bucket, query=query, headers=length, body=[body])


def _configuration(region: str) -> bytes:
    if region == _DEFAULT_REGION:
        return b""
    root = Element("CreateBucketConfiguration")
    SubElement(root, "LocationConstraint", region)
    return getbytes(root)


def _code(error: PratiqueError) -> str:
    """Return what S3 calls *error*."""
    cause = error.__cause__
    return cause.code if isinstance(cause, Refusal) else ""
