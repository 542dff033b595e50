"""Who may do what with which bucket: the least that each one's work wants.

A function that is not in the table may read the bucket it listens to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schemas.functions import EventFunction, Function
from schemas.objects import Buckets

Bucket = Literal["quarantine", "clean", "originals", "ledger"]
_ALL: tuple[Bucket, ...] = ("quarantine", "clean", "originals", "ledger")

# What the start of a function looks at, and what a ping needs to be answered.
_LOOK = ("GetBucketLocation", "GetBucketVersioning", "GetBucketNotification")
_LIST = (*_LOOK, "ListBucket", "ListBucketVersions")
_READ = ("GetObject", "GetObjectVersion")
_REMOVE = ("DeleteObject", "DeleteObjectVersion")
_PUT = ("PutObject",)
# A large object is put in parts; what was begun in vain has to be given up.
_STORE = (*_PUT, "AbortMultipartUpload")

# MinIO lets every user make keys of its own, which outlive a change of its secret, and
# set that secret, unless a policy denies it (cmd/admin-handlers-users.go, `DenyOnly`).
_NO_ADMINISTRATION: dict[str, Any] = {
    "Effect": "Deny",
    "Action": ["admin:*"],
    "Resource": ["arn:aws:s3:::*"],
}
# It gives every user temporary keys as well, for a year, which outlive a change of the
# secret and even the user's removal. No policy keeps them from being made.
_NO_TEMPORARY_KEYS: dict[str, Any] = {
    "Effect": "Deny",
    "Action": ["s3:*"],
    "Resource": ["arn:aws:s3:::*"],
    "Condition": {"StringEquals": {"aws:principaltype": ["AssumedRole"]}},
}


@dataclass(frozen=True)
class Right:
    """Actions on a bucket's objects, or on the bucket itself.

    Attributes:
        keys: which objects, `*` for all; None for the bucket itself.
    """

    bucket: Bucket
    actions: tuple[str, ...]
    keys: str | None = "*"

    def resource(self, buckets: Buckets) -> str:
        """Return the ARN that the actions are allowed on."""
        name = getattr(buckets, self.bucket)
        return f"arn:aws:s3:::{name}" + (f"/{self.keys}" if self.keys else "")


# Signers and droppers may read nothing: an unsigned copy-source header turns a signed
# PUT into a copy of whatever the signer may read, with the consent that was given.
_RIGHTS: dict[str, tuple[Right, ...]] = {
    "upload": (
        Right("quarantine", _LOOK, None),
        Right("quarantine", _STORE, "uploads/*"),
    ),
    "upload-signer": (Right("quarantine", _PUT, "uploads/*"),),
    "download-signer": (Right("clean", ("GetObject",)),),
    "dropper": (Right("quarantine", _PUT, "drops/*"),),
    "sanitizer": (
        Right("quarantine", _LOOK, None),
        Right("quarantine", (*_READ, *_REMOVE)),
        Right("clean", _LOOK, None),
        # It removes a copy that it made while the consent was withdrawn.
        Right("clean", ("GetObject", *_STORE, "DeleteObject")),
        Right("originals", _STORE),
    ),
    "metadata": (Right("clean", _LOOK, None), Right("clean", ("GetObject",))),
    "janitor": (
        *(Right(bucket, _LIST, None) for bucket in _ALL),
        *(Right(bucket, _READ) for bucket in _ALL),
        # Never in the ledger: what was erased stays written down.
        *(Right(bucket, _REMOVE) for bucket in _ALL if bucket != "ledger"),
        Right("ledger", _PUT, "erasures/*"),
    ),
}


def store_users(functions: Mapping[str, Function]) -> dict[str, tuple[Right, ...]]:
    """Return the rights of every user of the store, by the user's short name."""
    new = {
        name: function for name, function in functions.items() if name not in _RIGHTS
    }
    return _RIGHTS | {name: _of_listener(function) for name, function in new.items()}


def buckets_of(function: Function) -> list[Bucket]:
    """Return the buckets that *function* looks at itself, so may look for."""
    rights = store_users({function.name: function})[function.name]
    return [right.bucket for right in rights if right.keys is None]


def policy(rights: Iterable[Right], buckets: Buckets) -> dict[str, Any]:
    """Return *rights* as an S3 policy document."""
    allowed = [
        {
            "Effect": "Allow",
            "Action": [f"s3:{action}" for action in right.actions],
            "Resource": [right.resource(buckets)],
        }
        for right in rights
    ]
    puts = any(r.bucket == "quarantine" and "PutObject" in r.actions for r in rights)
    denied = [_NO_ADMINISTRATION, _NO_TEMPORARY_KEYS]
    if puts:
        denied.append(_no_overwriting(buckets))
    return {"Version": "2012-10-17", "Statement": [*allowed, *denied]}


def _no_overwriting(buckets: Buckets) -> dict[str, Any]:
    """Return what denies to put other bytes under a version that was judged already.

    `PUT ?versionId=` does that with PutObject alone; a put without it has no such key.
    """
    return {
        "Effect": "Deny",
        "Action": ["s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{buckets.quarantine}/*"],
        "Condition": {"StringLike": {"s3:versionid": ["?*"]}},
    }


def _of_listener(function: Function) -> tuple[Right, ...]:
    if not isinstance(function, EventFunction):
        return (Right("clean", _LOOK, None),)  # so that a ping is answered
    return (Right(function.listens, _LOOK, None), Right(function.listens, _READ))
