"""Notifications of stores that are not MinIO: Amazon, RustFS, SeaweedFS."""

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import MalformedEvent
from schemas.events import ObjectCreated, parse
from schemas.objects import ObjectRef
from tests.notifications import AMAZON, FILER_EVENT, RUSTFS, filed, filer_event

VERSION = "67158e7f96ebe63d083a901518c379dd"
OTHER_CHUNKS = [{"fid": {"volume_id": 1, "file_key": 2, "cookie": 3}}]


def test_what_amazon_sends_is_understood() -> None:
    events = parse(json.dumps({"Records": [AMAZON]}).encode())

    version = "096fKKXTRTtl3on89fVO.nfljtsv6qko"
    assert events == [
        ObjectCreated(
            ref=ObjectRef("amzn-s3-demo-bucket", "HappyFace.jpg", version),
            size_bytes=1024,
            occurred_at=datetime(1970, 1, 1, tzinfo=UTC),
        )
    ]


def test_what_rustfs_sends_is_understood() -> None:
    events = parse(json.dumps(RUSTFS).encode())

    assert events == [
        ObjectCreated(
            ref=ObjectRef("uploads", "in/a b.mp3"),
            way="CompleteMultipartUpload",
            size_bytes=6000000,
            media_type="audio/mpeg",
            metadata={"user-consent": "true"},
            occurred_at=datetime(2026, 10, 6, 12, 34, 56, 812000, tzinfo=UTC),
        )
    ]


def test_a_version_that_seaweedfs_announces_is_understood() -> None:
    events = parse(json.dumps(FILER_EVENT).encode())

    assert events == [
        ObjectCreated(
            ref=ObjectRef("uploads", "in/ü a+b%2F.jpg", VERSION),
            size_bytes=2000,
            media_type="image/jpeg",
            metadata={"user-consent": "true"},
            occurred_at=datetime(2026, 11, 22, 18, 29, 57, tzinfo=UTC),
        )
    ]


def test_a_file_of_a_seaweedfs_bucket_without_versions_is_understood() -> None:
    (event,) = parse(filed("/buckets/uploads/in/a+b%2F.jpg"))

    assert event.ref == ObjectRef("uploads", "in/a+b%2F.jpg")


def test_a_folder_that_is_called_like_one_of_versions_stays_in_the_key() -> None:
    (event,) = parse(filed(f"/buckets/uploads/in/a.versions/v_{VERSION}"))

    assert event.ref == ObjectRef("uploads", f"in/a.versions/v_{VERSION}")


def test_an_empty_file_of_seaweedfs_is_an_event_too() -> None:
    body = filer_event(lambda _, entry: (entry.pop("chunks"), entry.pop("attributes")))

    (event,) = parse(body)

    assert (event.size_bytes, event.occurred_at) == (0, None)


def test_an_overwritten_file_of_seaweedfs_is_an_event() -> None:
    events = parse(filed("/buckets/uploads/a.jpg", {"chunks": OTHER_CHUNKS}))

    assert [event.ref for event in events] == [ObjectRef("uploads", "a.jpg")]


def test_a_file_that_seaweedfs_moved_into_a_bucket_is_an_event() -> None:
    document = json.loads(filed("/buckets/uploads/a.jpg", {"name": "elsewhere"}))
    document["key"] = "/buckets/other/elsewhere"

    (event,) = parse(json.dumps(document).encode())

    assert event.ref == ObjectRef("uploads", "a.jpg")


@pytest.mark.parametrize(
    "body",
    [
        filer_event(lambda message, _: message.pop("new_entry")),
        filer_event(lambda _, entry: entry.update(is_directory=True)),
        filer_event(
            lambda _, entry: entry["extended"].update(
                {"Seaweed-X-Amz-Delete-Marker": "dHJ1ZQ=="}
            )
        ),
        filed("/buckets/uploads/a.jpg", {"extended": {}}),
        filed("/buckets/uploads/.uploads/95c4bea1_0af0/0001_26397fc8.part"),
        filed("/buckets/.system/owners/a/uploads"),
        filed("/buckets/lonely"),
        filed("/topics/.system/log"),
    ],
    ids=["deleted", "folder", "marker", "tagged", "part", "system", "top", "elsewhere"],
)
def test_what_creates_no_object_in_seaweedfs_is_no_event(body: bytes) -> None:
    assert parse(body) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda message, _: message.pop("new_parent_path"),
        lambda message, _: message.update(new_entry="name"),
        lambda message, _: message.update(old_entry=5),
        lambda _, entry: entry.pop("name"),
        lambda _, entry: entry.update(attributes=[1]),
        lambda _, entry: entry["attributes"].update(file_size="2000"),
        lambda _, entry: entry["attributes"].update(mtime=1e300),
        lambda _, entry: entry["attributes"].update(mtime="today"),
        lambda _, entry: entry.update(extended=["X-Amz-Meta-A"]),
        lambda _, entry: entry["extended"].update({"X-Amz-Meta-A": "not base64"}),
        lambda _, entry: entry["extended"].update({"X-Amz-Meta-A": "/w=="}),
    ],
)
def test_a_garbled_filer_event_is_malformed(
    change: Callable[[Any, Any], object],
) -> None:
    body = filer_event(change)

    with pytest.raises(MalformedEvent):
        parse(body)


def test_what_seaweedfs_sends_to_brokers_is_refused_by_its_name() -> None:
    protobuf = b'\x12\x1e\n\x08a.jpg\x1a\x80\x12"\xff\x0f/buckets/uploads'

    with pytest.raises(MalformedEvent, match="protobuf"):
        parse(protobuf)


def test_a_lacking_field_is_named() -> None:
    body = filer_event(lambda _, entry: entry.pop("name"))

    with pytest.raises(MalformedEvent, match=r"KeyError.*name"):
        parse(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
PLACES: list[tuple[str, ...]] = [
    ("key",),
    ("message",),
    ("message", "new_parent_path"),
    ("message", "old_entry"),
    ("message", "new_entry"),
    *(
        ("message", "new_entry", *rest)
        for rest in (
            ("name",),
            ("chunks",),
            ("attributes",),
            ("attributes", "mtime"),
            ("attributes", "mtime_ns"),
            ("extended",),
            ("extended", "Seaweed-X-Amz-Version-Id"),
        )
    ),
]


@given(st.sampled_from(PLACES), JSON)
def test_any_value_anywhere_is_understood_or_malformed(
    place: tuple[str, ...], value: object
) -> None:
    document = deepcopy(FILER_EVENT)
    around: Any = document
    for name in place[:-1]:
        around = around[name]
    around[place[-1]] = value

    with suppress(MalformedEvent):
        parse(json.dumps(document).encode())
