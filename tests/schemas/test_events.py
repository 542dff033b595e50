"""Notifications: what MinIO and Amazon send is understood."""

import json
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import WAYS, ObjectCreated, created, dump, parse
from schemas.objects import ObjectInfo, ObjectRef
from tests.notifications import RECORD, changed, notification


def test_a_presigned_post_to_minio_is_understood() -> None:
    events = parse(notification(RECORD))

    assert events == [
        ObjectCreated(
            ref=ObjectRef(
                "uploads",
                "incoming/3f2a/My Photo (1).jpg",
                "b1f0c2a4-6d1e-4a53-9d55-1a2b3c4d5e6f",
            ),
            way="Post",
            size_bytes=183412,
            media_type="image/jpeg",
            metadata={"upload-id": "3f2a"},
            occurred_at=datetime(2026, 10, 6, 12, 34, 56, 812000, tzinfo=UTC),
        )
    ]


@pytest.mark.parametrize(
    ("quoted", "key"),
    [
        ("a%2Bb", "a+b"),
        ("a+b", "a b"),
        ("a%252Fb", "a%2Fb"),
        ("%C3%BCber.jpg", "über.jpg"),
        ("%F0%9F%90%9F", "🐟"),
        ("..%2F..%2Fetc", "../../etc"),
        ("a%0Ab", "a\nb"),
    ],
)
def test_odd_keys_are_unquoted_once(quoted: str, key: str) -> None:
    record = changed(lambda r: r["s3"]["object"].update(key=quoted))

    (event,) = parse(notification(record))

    assert event.ref.key == key


@pytest.mark.parametrize(
    ("field", "missing", "default"),
    [
        ("size", "size_bytes", 0),
        ("contentType", "media_type", "application/octet-stream"),
        ("userMetadata", "metadata", {}),
    ],
)
def test_what_minio_leaves_out_has_a_default(
    field: str, missing: str, default: object
) -> None:
    record = changed(lambda r: r["s3"]["object"].pop(field))

    (event,) = parse(notification(record))

    assert getattr(event, missing) == default


@pytest.mark.parametrize("version", [None, "", "null"])
def test_a_bucket_without_versions_pins_none(version: str | None) -> None:
    record = changed(lambda r: r["s3"]["object"].update(versionId=version))

    (event,) = parse(notification(record))

    assert event.ref.version is None


def test_several_records_are_several_events_in_order() -> None:
    other = changed(lambda r: r["s3"]["object"].update(key="other"))

    events = parse(notification(RECORD, other))

    keys = [event.ref.key for event in events]
    assert keys == ["incoming/3f2a/My Photo (1).jpg", "other"]


@pytest.mark.parametrize(
    "name",
    [
        "s3:ObjectCreated:PutTagging",
        "s3:ObjectCreated:DeleteTagging",
        "s3:ObjectCreated:PutRetention",
        "s3:ObjectCreated:PutLegalHold",
        "s3:ObjectCreated:*",
        "s3:ObjectRemoved:Delete",
        "s3:ObjectAccessed:Get",
        "s3:Scanner:ManyVersions",
    ],
)
def test_what_creates_no_object_is_no_event(name: str) -> None:
    record = changed(lambda r: r.update(eventName=name))

    assert parse(notification(record, RECORD)) == parse(notification(RECORD))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("prefix", ["s3:", ""])  # Amazon leaves it out
def test_every_way_to_create_an_object_is_an_event(prefix: str, way: str) -> None:
    name = f"{prefix}ObjectCreated:{way}"
    record = changed(lambda r: r.update(eventName=name))

    (event,) = parse(notification(record))

    assert event.way == way


def test_a_test_event_names_no_object() -> None:
    body = b'{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"}'

    assert parse(body) == []


def test_only_amz_metadata_is_taken() -> None:
    smuggled = {
        "X-Amz-Meta-User-Consent": "no",
        "x-minio-meta-user-consent": "true",
        "user-consent": "true",
    }
    record = changed(lambda r: r["s3"]["object"].update(userMetadata=smuggled))

    (event,) = parse(notification(record))

    assert event.metadata == {"user-consent": "no"}


NAMES = st.text(st.characters(codec="utf-8"), min_size=1)
EVENTS = st.builds(
    ObjectCreated,
    ref=st.builds(
        ObjectRef, NAMES, NAMES, st.none() | NAMES.filter(lambda v: v != "null")
    ),
    way=st.sampled_from(WAYS),
    size_bytes=st.integers(0),
    media_type=NAMES,
    metadata=st.dictionaries(st.from_regex(r"[a-z0-9._-]+", fullmatch=True), NAMES),
    occurred_at=st.datetimes(timezones=st.just(UTC)),
)


@given(EVENTS)
def test_what_is_dumped_is_parsed_back(event: ObjectCreated) -> None:
    assert parse(dump(event)) == [event]


def test_keys_are_quoted_as_minio_quotes_them() -> None:
    event = ObjectCreated(ObjectRef("b", "a b+c/ü%2F"))

    record = json.loads(dump(event))["Records"][0]

    assert record["s3"]["object"]["key"] == quote_plus("a b+c/ü%2F")
    assert record["s3"]["object"]["key"] == "a+b%2Bc%2F%C3%BC%252F"


def test_an_object_is_announced_as_what_the_store_says_of_it() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    info = ObjectInfo(ObjectRef("b", "k", "v"), 7, "image/png", at, {"a": "b"})

    event = created(info, "Copy")

    assert event == ObjectCreated(info.ref, "Copy", 7, "image/png", {"a": "b"}, at)
