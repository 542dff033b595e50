"""Notifications that are none: refused as malformed, and by no other error."""

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.errors import MalformedEvent
from schemas.events import parse
from tests.notifications import RECORD, changed, notification


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.pop("s3"),
        lambda r: r.pop("eventName"),
        lambda r: r.update(eventName=["s3:ObjectCreated:Put"]),
        lambda r: r.update(eventTime="yesterday"),
        lambda r: r.update(eventTime=5),
        lambda r: r.update(eventTime="0001-01-01T00:00:00+23:00"),
        lambda r: r.update(s3=[]),
        lambda r: r["s3"]["bucket"].update(name=""),
        lambda r: r["s3"]["bucket"].update(name=None),
        lambda r: r["s3"].update(bucket="uploads"),
        lambda r: r["s3"]["object"].pop("key"),
        lambda r: r["s3"]["object"].update(key=""),
        lambda r: r["s3"]["object"].update(key=7),
        lambda r: r["s3"]["object"].update(key="%FF"),
        lambda r: r["s3"]["object"].update(key="\ud800"),
        lambda r: r["s3"]["object"].update(versionId=7),
        lambda r: r["s3"]["object"].update(size=-1),
        lambda r: r["s3"]["object"].update(size="many"),
        lambda r: r["s3"]["object"].update(size=float("inf")),
        lambda r: r["s3"]["object"].update(size=True),
        lambda r: r["s3"]["object"].update(contentType={"a": 1}),
        lambda r: r["s3"]["object"].update(userMetadata=["a"]),
        lambda r: r["s3"]["object"].update(userMetadata={"a": ["b"]}),
    ],
)
def test_a_garbled_record_is_malformed(change: Callable[[Any], object]) -> None:
    record = changed(change)

    with pytest.raises(MalformedEvent):
        parse(notification(record))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"Records": []}',
        b'{"Records": {}}',
        b'{"Records": [null]}',
        b'{"Records": [[]]}',
        b"[" * 100_000,
        b'{"Records": [' + b"[" * 900 + b"]" * 900 + b"]}",
        b'{"Records": [' + b"9" * 5000 + b"]}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_message_that_is_no_notification_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEvent):
        parse(body)


def test_what_is_said_of_a_malformed_event_is_short_and_ascii() -> None:
    record = changed(lambda r: r.update(eventTime="\ud800ü" * 10_000))

    with pytest.raises(MalformedEvent) as caught:
        parse(notification(record))

    assert len(str(caught.value)) < 300
    assert str(caught.value).isascii()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
PLACES = [
    (),
    ("eventName",),
    ("eventTime",),
    ("s3",),
    ("s3", "bucket"),
    ("s3", "bucket", "name"),
    ("s3", "object"),
    *(
        ("s3", "object", name)
        for name in ("key", "size", "contentType", "userMetadata", "versionId")
    ),
]


def understood_or_malformed(body: bytes) -> None:
    with suppress(MalformedEvent):
        parse(body)


@given(st.binary())
def test_any_bytes_are_understood_or_malformed(body: bytes) -> None:
    understood_or_malformed(body)


@given(JSON)
def test_any_json_is_understood_or_malformed(document: object) -> None:
    understood_or_malformed(json.dumps(document).encode())


@given(st.sampled_from(PLACES), JSON)
@example(("s3", "object", "size"), float("inf"))
def test_any_value_anywhere_is_understood_or_malformed(
    place: tuple[str, ...], value: object
) -> None:
    document = {"record": deepcopy(RECORD)}
    around: Any = document
    for name in ("record", *place)[:-1]:
        around = around[name]
    around[("record", *place)[-1]] = value

    understood_or_malformed(notification(document["record"]))
