"""A notification for tests, as a MinIO server sends it."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

# As a MinIO server sends it for a presigned POST into a versioned bucket.
RECORD: dict[str, Any] = {
    "eventVersion": "2.0",
    "eventSource": "minio:s3",
    "awsRegion": "",
    "eventTime": "2026-10-06T12:34:56.812Z",
    "eventName": "s3:ObjectCreated:Post",
    "userIdentity": {"principalId": ""},
    "requestParameters": {
        "principalId": "",
        "region": "",
        "sourceIPAddress": "203.0.113.7",
    },
    "responseElements": {
        "x-amz-id-2": "dd9025bab4ad464b049177c95eb6ebf374d3b3fd1af9251148b658df7ac2e3",
        "x-amz-request-id": "18DBF0DA33F1A2C4",
        "x-minio-deployment-id": "c3e5f8a1-0000-4000-8000-000000000000",
        "x-minio-origin-endpoint": "http://172.18.0.3:9000",
    },
    "s3": {
        "s3SchemaVersion": "1.0",
        "configurationId": "Config",
        "bucket": {
            "name": "uploads",
            "ownerIdentity": {"principalId": ""},
            "arn": "arn:aws:s3:::uploads",
        },
        "object": {
            "key": "incoming%2F3f2a%2FMy+Photo+%281%29.jpg",
            "size": 183412,
            "eTag": "9e107d9d372bb6826bd81d3542a419d6",
            "contentType": "image/jpeg",
            "userMetadata": {
                "X-Amz-Meta-Upload-Id": "3f2a",
                "content-type": "image/jpeg",
            },
            "versionId": "b1f0c2a4-6d1e-4a53-9d55-1a2b3c4d5e6f",
            "sequencer": "18DBF0DA34C8BF79",
        },
    },
    "source": {"host": "203.0.113.7", "port": "", "userAgent": "Mozilla/5.0"},
}


def notification(*records: Any) -> bytes:
    """Return the message that carries *records*."""
    return json.dumps(
        {
            "EventName": "s3:ObjectCreated:Post",
            "Key": "uploads/incoming/3f2a/My Photo (1).jpg",
            "Records": records,
        }
    ).encode()


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return RECORD after *change*."""
    record = deepcopy(RECORD)
    change(record)
    return record


# As Amazon S3 sends it, without an envelope (its user guide's own example).
AMAZON: dict[str, Any] = {
    "eventVersion": "2.1",
    "eventSource": "aws:s3",
    "awsRegion": "us-west-2",
    "eventTime": "1970-01-01T00:00:00.000Z",
    "eventName": "ObjectCreated:Put",
    "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
    "requestParameters": {"sourceIPAddress": "127.0.0.1"},
    "responseElements": {
        "x-amz-request-id": "C3D13FE58DE4C810",
        "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHv",
    },
    "s3": {
        "s3SchemaVersion": "1.0",
        "configurationId": "testConfigRule",
        "bucket": {
            "name": "amzn-s3-demo-bucket",
            "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
            "arn": "arn:aws:s3:::amzn-s3-demo-bucket",
        },
        "object": {
            "key": "HappyFace.jpg",
            "size": 1024,
            "eTag": "d41d8cd98f00b204e9800998ecf8427e",
            "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
            "sequencer": "0055AED6DCD90281E5",
        },
    },
}

# As RustFS serialises crates/notify/src/event.rs and crates/targets/src/lib.rs.
RUSTFS: dict[str, Any] = {
    "EventName": "s3:ObjectCreated:CompleteMultipartUpload",
    "Key": "uploads/in/a b.mp3",
    "Records": [
        {
            "eventVersion": "2.1",
            "eventSource": "rustfs:s3",
            "awsRegion": "",
            "eventTime": "2026-10-06T12:34:56.812Z",
            "eventName": "s3:ObjectCreated:CompleteMultipartUpload",
            "userIdentity": {"principalId": "dropper"},
            "requestParameters": {"principalId": "dropper"},
            "responseElements": {"x-amz-request-id": "", "x-amz-id-2": ""},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "Config",
                "bucket": {
                    "name": "uploads",
                    "ownerIdentity": {"principalId": "dropper"},
                    "arn": "arn:aws:s3:::uploads",
                },
                "object": {
                    "key": "in%2Fa+b.mp3",
                    "size": 6000000,
                    "eTag": "15ffa48728dbbb2466234d565604f7b5-2",
                    "contentType": "audio/mpeg",
                    "userMetadata": {"x-amz-meta-user-consent": "true"},
                    "sequencer": "18DBF0DA34C8BF79",
                },
            },
            "source": {"host": "10.0.0.7", "port": "", "userAgent": "MinIO (linux)"},
        }
    ],
}

# As the webhook of SeaweedFS 4.48 sends it for a PUT into a versioned bucket.
FILER_EVENT: dict[str, Any] = {
    "event_type": "create",
    "key": (
        "/buckets/uploads/in/ü a+b%2F.jpg.versions/v_67158e7f96ebe63d083a901518c379dd"
    ),
    "message": {
        "new_entry": {
            "name": "v_67158e7f96ebe63d083a901518c379dd",
            "chunks": [
                {
                    "size": 2000,
                    "modified_ts_ns": 1795372197511332605,
                    "e_tag": "YoQ5jyWzH73THlxswEr5rQ==",
                    "fid": {"volume_id": 6, "file_key": 1, "cookie": 2580923182},
                }
            ],
            "attributes": {
                "file_size": 2000,
                "mtime": 1795372197,
                "file_mode": 432,
                "crtime": 1795372197,
                "mime": "image/jpeg",
                "md5": "YoQ5jyWzH73THlxswEr5rQ==",
                "inode": 6132662468594685906,
            },
            "extended": {
                "Seaweed-X-Amz-ETag": "NjI4NDM5OGYyNWIzMWZiZGQzMWU1YzZjYzA0YWY5YWQ=",
                "Seaweed-X-Amz-Owner": "YQ==",
                "Seaweed-X-Amz-Version-Id": (
                    "NjcxNThlN2Y5NmViZTYzZDA4M2E5MDE1MThjMzc5ZGQ="
                ),
                "X-Amz-Meta-User-Consent": "dHJ1ZQ==",
            },
        },
        "delete_chunks": True,
        "new_parent_path": "/buckets/uploads/in/ü a+b%2F.jpg.versions",
        "signatures": [1128547751],
    },
}


def filer_event(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> bytes:
    """Return FILER_EVENT after *change* of its message and of the new entry."""
    document = deepcopy(FILER_EVENT)
    change(document["message"], document["message"]["new_entry"])
    return json.dumps(document).encode()


def filed(path: str, before: dict[str, Any] | None = None) -> bytes:
    """Return the filer event of a file without versions at *path*; *before* is old."""
    document = deepcopy(FILER_EVENT)
    parent, _, name = path.rpartition("/")
    entry = document["message"]["new_entry"]
    entry["name"] = name
    del entry["extended"]["Seaweed-X-Amz-Version-Id"]
    document["key"] = path
    document["message"]["new_parent_path"] = parent
    if before is not None:
        document["event_type"] = "update"
        document["message"]["old_entry"] = {**deepcopy(entry), **before}
    return json.dumps(document).encode()
