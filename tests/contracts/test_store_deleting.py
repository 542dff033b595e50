"""The contract of schemas/ports/store.py: deleting, markers, and buckets."""

from collections.abc import Callable

import pytest

from schemas.errors import ObjectNotFound, SettingsError, Unavailable
from schemas.objects import ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import (
    PLAIN,
    VERSIONED,
    content,
    put,
)

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")
MISSING: list[Callable[[ObjectStore, ObjectRef], object]] = [
    content,
    lambda store, ref: store.ranges(ref),
    lambda store, ref: store.head(ref),
]


def test_delete_removes_exactly_that_version(store: ObjectStore) -> None:
    old = put(store, VREF, b"old").ref
    new = put(store, VREF, b"new").ref

    store.delete(old)

    assert [info.ref for info in store.list(VERSIONED)] == [new]


def test_delete_by_version_spares_a_newer_one(store: ObjectStore) -> None:
    judged = put(store, VREF, b"judged").ref
    put(store, VREF, b"newcomer")

    store.delete(judged)

    assert content(store, VREF) == b"newcomer"


@pytest.mark.parametrize("ref", [REF, VREF])
def test_delete_is_safe_to_run_twice(store: ObjectStore, ref: ObjectRef) -> None:
    stored = put(store, ref).ref
    store.delete(stored)

    store.delete(stored)

    assert list(store.list(ref.bucket)) == []


def test_without_versions_delete_removes_the_object(store: ObjectStore) -> None:
    put(store, REF)

    store.delete(REF)

    assert list(store.list(PLAIN)) == []


def test_in_a_versioned_bucket_delete_leaves_a_marker(store: ObjectStore) -> None:
    stored = put(store, VREF).ref

    store.delete(VREF)

    listed = {info.ref: info.marker for info in store.list(VERSIONED)}
    assert (len(listed), listed.pop(stored)) == (2, False)
    assert (list(listed.values()), content(store, stored)) == ([True], b"data")


@pytest.mark.parametrize("read", MISSING)
def test_a_marker_hides_what_is_below_it(
    store: ObjectStore, read: Callable[[ObjectStore, ObjectRef], object]
) -> None:
    put(store, VREF)

    store.delete(VREF)

    with pytest.raises(ObjectNotFound):
        read(store, VREF)


@pytest.mark.parametrize("read", MISSING)
def test_a_marker_is_no_object(
    store: ObjectStore, read: Callable[[ObjectStore, ObjectRef], object]
) -> None:
    store.delete(put(store, VREF).ref)
    put(store, VREF)
    store.delete(VREF)
    marker = next(info for info in store.list(VERSIONED) if info.marker)

    with pytest.raises(ObjectNotFound):
        read(store, marker.ref)


def test_without_its_marker_an_object_is_back(store: ObjectStore) -> None:
    put(store, VREF)
    store.delete(VREF)

    store.delete(next(info for info in store.list(VERSIONED) if info.marker).ref)

    assert content(store, VREF) == b"data"


@pytest.mark.parametrize("version", ["0", "null", "../x", "3b241101-e2bb-4255-8caf"])
def test_a_version_that_can_not_be_is_not_found(
    store: ObjectStore, version: str
) -> None:
    put(store, VREF)
    forged = ObjectRef(VERSIONED, VREF.key, version)
    store.delete(forged)

    with pytest.raises(ObjectNotFound):
        store.head(forged)


@pytest.mark.parametrize("versioned", [True, False])
def test_a_bucket_is_provisioned_with_or_without_versions(
    store: ObjectStore, versioned: bool
) -> None:
    bucket = VERSIONED if versioned else PLAIN

    found = [store.provisioned(bucket, versioned=v) for v in (versioned, not versioned)]

    assert found == [True, False]


def test_a_missing_bucket_is_not_provisioned(store: ObjectStore) -> None:
    assert not store.provisioned("missing-bucket", versioned=True)


@pytest.mark.parametrize(
    "act",
    [
        put,
        content,
        lambda store, ref: store.ranges(ref),
        lambda store, ref: store.head(ref),
        lambda store, ref: store.delete(ref),
        lambda store, ref: list(store.list(ref.bucket)),
    ],
)
def test_a_missing_bucket_is_no_missing_object(
    store: ObjectStore, act: Callable[[ObjectStore, ObjectRef], object]
) -> None:
    with pytest.raises(Unavailable, match="pratique provision"):
        act(store, ObjectRef("missing-bucket", "key"))


def test_provision_is_safe_to_run_twice(store: ObjectStore) -> None:
    put(store, VREF, b"kept")

    store.provision(VERSIONED, versioned=True)

    assert content(store, VREF) == b"kept"


def test_provision_does_not_take_versions_from_a_bucket(store: ObjectStore) -> None:
    with pytest.raises(SettingsError):
        store.provision(VERSIONED, versioned=False)
