"""The contract of schemas/ports/store.py: reading, listing, deleting, ending."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from schemas.errors import ObjectNotFound, Unavailable
from schemas.objects import ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import (
    PLAIN,
    VERSIONED,
    Rig,
    content,
    put,
    undated,
)

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")


def test_open_without_a_version_gives_the_newest_bytes(store: ObjectStore) -> None:
    put(store, VREF, b"old")
    put(store, VREF, b"new")

    assert content(store, VREF) == b"new"


def test_open_streams(store: ObjectStore) -> None:
    put(store, REF, b"0123456789")

    with store.open(REF) as stream:
        pieces = [stream.read(4), stream.read(4), stream.read(4), stream.read(4)]

    assert pieces == [b"0123", b"4567", b"89", b""]


MISSING: list[Callable[[ObjectStore, ObjectRef], object]] = [
    content,
    lambda store, ref: store.ranges(ref),
    lambda store, ref: store.head(ref),
]


@pytest.mark.parametrize("read", MISSING)
@pytest.mark.parametrize("bucket", [PLAIN, VERSIONED])
def test_what_is_not_stored_is_not_found(
    store: ObjectStore, read: Callable[[ObjectStore, ObjectRef], object], bucket: str
) -> None:
    put(store, ObjectRef(bucket, "p1/photo.png.bak"))

    with pytest.raises(ObjectNotFound):
        read(store, ObjectRef(bucket, "p1/photo.png"))


@pytest.mark.parametrize("read", MISSING)
def test_a_version_that_is_gone_is_not_found(
    store: ObjectStore, read: Callable[[ObjectStore, ObjectRef], object]
) -> None:
    gone = put(store, VREF).ref
    put(store, VREF)
    store.delete(gone)

    with pytest.raises(ObjectNotFound):
        read(store, gone)


def test_bytes_are_fetched_by_range(store: ObjectStore) -> None:
    put(store, REF, b"0123456789")

    reader = store.ranges(REF)

    assert (reader.size_bytes, reader.read_at(3, 4)) == (10, b"3456")


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(8, 5, b"89"), (10, 5, b""), (99, 1, b""), (0, 10, b"0123456789"), (2, 0, b"")],
)
def test_a_range_is_short_only_at_the_end(
    store: ObjectStore, offset: int, length: int, expected: bytes
) -> None:
    put(store, REF, b"0123456789")

    assert store.ranges(REF).read_at(offset, length) == expected


@pytest.mark.parametrize("ref", [REF, VREF])
def test_a_range_of_what_was_deleted_since_is_not_found(
    store: ObjectStore, ref: ObjectRef
) -> None:
    stored = put(store, ref).ref
    reader = store.ranges(ref)
    store.delete(stored)

    with pytest.raises(ObjectNotFound):
        reader.read_at(0, 1)


def test_ranges_stay_with_the_version_they_began_with(store: ObjectStore) -> None:
    put(store, VREF, b"old")
    reader = store.ranges(VREF)
    put(store, VREF, b"new")

    assert reader.read_at(0, 3) == b"old"


def test_head_of_a_version_tells_of_that_version(store: ObjectStore) -> None:
    old = put(store, VREF, b"old", {"asset-id": "1"})
    put(store, VREF, b"newer", {"asset-id": "2"})

    assert undated(store.head(old.ref)) == undated(old)


def test_list_gives_every_version_with_keys_in_order(store: ObjectStore) -> None:
    names = ["b/2", "a", "b/1", "ü", "b/1", "Z"]
    stored = [put(store, ObjectRef(VERSIONED, name)) for name in names]

    listed = list(store.list(VERSIONED))

    assert [info.ref.key for info in listed] == ["Z", "a", "b/1", "b/1", "b/2", "ü"]
    assert {info.ref for info in listed} == {info.ref for info in stored}


def test_list_says_what_head_says_but_for_media_type_and_metadata(
    store: ObjectStore,
) -> None:
    put(store, VREF, b"four", {"user-consent": "true"})

    (listed,) = store.list(VERSIONED)

    known = replace(store.head(VREF), media_type="", metadata={})
    assert undated(listed) == undated(known)


def test_list_gives_what_is_under_the_prefix_only(store: ObjectStore) -> None:
    for name in ("a/1", "ab", "b/1"):
        put(store, ObjectRef(PLAIN, name))

    assert [info.ref.key for info in store.list(PLAIN, "a")] == ["a/1", "ab"]


def test_several_threads_may_use_a_store_at_once(store: ObjectStore) -> None:
    def write_and_read(number: int) -> bool:
        ref = ObjectRef(VERSIONED, f"shared/{number % 4}")
        data = b"%d" % number * 1000
        return content(store, put(store, ref, data).ref) == data

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write_and_read, range(40)))

    assert (all(answers), len(list(store.list(VERSIONED)))) == (True, 40)


def test_ping_returns_if_the_store_answers(store: ObjectStore) -> None:
    store.ping()


@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.ping(),
        lambda store: store.provision(PLAIN, versioned=False),
        lambda store: put(store, REF),
        lambda store: content(store, REF),
        lambda store: store.head(REF),
        lambda store: list(store.list(PLAIN)),
        lambda store: store.delete(REF),
    ],
)
def test_a_store_that_can_not_be_reached_is_unavailable(
    rig: Rig, act: Callable[[ObjectStore], object]
) -> None:
    with pytest.raises(Unavailable):
        act(rig.unreachable)


def test_close_is_safe_to_run_twice(store: ObjectStore) -> None:
    store.close()

    store.close()
