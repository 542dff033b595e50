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
