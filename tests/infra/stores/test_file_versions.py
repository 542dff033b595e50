"""Versions of the embedded store: delete markers, clocks, and bytes that change."""

from datetime import timedelta

import pytest

from schemas.errors import ObjectNotFound
from schemas.objects import ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import PLAIN, VERSIONED, FileRig, content, put

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")


def test_a_delete_without_version_leaves_a_marker(store: ObjectStore) -> None:
    info = put(store, VREF)

    store.delete(VREF)
    store.delete(VREF)

    listed = list(store.list(VERSIONED))
    assert [i.marker for i in listed] == [False, True]
    assert content(store, info.ref) == b"data"


def test_a_marker_hides_what_is_below_it(store: ObjectStore) -> None:
    put(store, VREF)
    store.delete(VREF)

    with pytest.raises(ObjectNotFound):
        store.head(VREF)


def test_without_its_marker_an_object_is_back(store: ObjectStore) -> None:
    put(store, VREF)
    store.delete(VREF)
    marker = list(store.list(VERSIONED))[-1]

    store.delete(marker.ref)

    assert content(store, VREF) == b"data"


def test_the_newest_version_is_the_last_even_if_the_clock_goes_back(
    rig: FileRig,
) -> None:
    put(rig.store, VREF, b"first")
    rig.pass_time(timedelta(hours=-1))

    put(rig.store, VREF, b"second")

    bytes_in_order = [content(rig.store, i.ref) for i in rig.store.list(VERSIONED)]
    assert (content(rig.store, VREF), bytes_in_order) == (
        b"second",
        [b"first", b"second"],
    )


def test_ranges_never_mix_two_writes(store: ObjectStore) -> None:
    put(store, REF, b"old")
    reader = store.ranges(REF)
    put(store, REF, b"new")

    with pytest.raises(ObjectNotFound):
        reader.read_at(0, 3)
