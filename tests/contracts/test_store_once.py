"""The contract of schemas/ports/store.py: keys that are written once."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest

from schemas.errors import ObjectExists
from schemas.objects import ObjectRef
from schemas.ports import ObjectStore
from tests.contracts.stores import (
    PLAIN,
    VERSIONED,
    Rig,
    content,
    put,
    put_once,
)

REF = ObjectRef(PLAIN, "p1/photo.png")
VREF = ObjectRef(VERSIONED, "p1/photo.png")


def test_an_object_written_once_is_announced(rig: Rig) -> None:
    info = put_once(rig.store, REF, b"data")

    assert rig.announced()[0].ref == info.ref


@pytest.mark.parametrize("ref", [REF, VREF])
def test_a_write_once_key_is_never_written_over(
    store: ObjectStore, ref: ObjectRef
) -> None:
    put_once(store, ref, b"first")

    with pytest.raises(ObjectExists):
        put_once(store, ref, b"second")

    assert [content(store, i.ref) for i in store.list(ref.bucket)] == [b"first"]


@pytest.mark.parametrize("ref", [REF, VREF])
def test_a_write_once_key_can_be_taken_by_a_put(
    store: ObjectStore, ref: ObjectRef
) -> None:
    put(store, ref, b"first")

    with pytest.raises(ObjectExists):
        put_once(store, ref, b"second")


@pytest.mark.parametrize("ref", [REF, VREF])
def test_of_many_at_once_one_succeeds(store: ObjectStore, ref: ObjectRef) -> None:
    def attempt(number: int) -> int | None:
        try:
            put_once(store, ref, b"%d" % number)
        except ObjectExists:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [n for n in pool.map(attempt, range(8)) if n is not None]

    assert [content(store, ref)] == [b"%d" % n for n in winners]


@pytest.mark.parametrize("ref", [REF, VREF])
def test_after_a_delete_write_once_admits_again(
    store: ObjectStore, ref: ObjectRef
) -> None:
    put_once(store, ref, b"first")
    store.delete(ref)

    put_once(store, ref, b"second")

    assert content(store, ref) == b"second"


@pytest.mark.parametrize("size", [0, 5 << 20])
def test_an_object_of_any_size_is_written_once(store: ObjectStore, size: int) -> None:
    put_once(store, REF, bytes(size))

    with pytest.raises(ObjectExists):
        put_once(store, REF, b"second" * (size // 6 + 1))

    assert content(store, REF) == bytes(size)


@pytest.mark.parametrize("claimed", [0, 3, 5])
def test_a_stream_of_another_length_is_not_written_once(
    store: ObjectStore, claimed: int
) -> None:
    with pytest.raises(ValueError, match="bytes"):
        store.put_once(
            REF, BytesIO(b"four"), size_bytes=claimed, media_type="a/b", metadata={}
        )

    assert list(store.list(PLAIN)) == []
