"""Keys and names: hostile ones are refused or made safe, never passed on."""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.doors import (
    Source,
    adopt,
    clean_asset_id,
    clean_key,
    clean_text,
    is_project_id,
    is_storable,
    safe_filename,
    source_of,
    upload_key,
)
from schemas.lifecycle import ConsentState, Status, status
from schemas.objects import ObjectInfo, ObjectRef

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ANY_TEXT = st.text(st.characters())  # with NUL, lone surrogates and all
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
PROJECTS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


def drop(
    key: str = "drops/p1/photo.jpg",
    *,
    consent: str | None = None,
    version: str | None = "v1",
    media_type: str = "image/jpeg",
) -> ObjectInfo:
    metadata = {} if consent is None else {"user-consent": consent}
    ref = ObjectRef("quarantine", key, version)
    return ObjectInfo(ref, 7, media_type, NOW, metadata)


# source_of


def test_an_upload_key_leads_back_to_its_asset() -> None:
    asset_id = uuid4()

    source = source_of(ObjectRef("quarantine", upload_key("p1", asset_id), "v"))

    assert source == Source(asset_id, "p1", dropped=False)


@given(PROJECTS, NAMES)
def test_any_name_may_be_dropped(project_id: str, name: str) -> None:
    source = source_of(ObjectRef("quarantine", f"drops/{project_id}/{name}"))

    assert source is not None
    assert (source.project_id, source.dropped) == (project_id, True)


def test_a_drop_has_the_same_id_whoever_adopts_it() -> None:
    ref = ObjectRef("quarantine", "drops/p1/photo.jpg", "v1")

    ids = {source.asset_id for _ in range(2) if (source := source_of(ref))}

    # Fixed for ever: records that exist were found by it.
    assert ids == {UUID("282f781b-9dad-572c-8136-b683f1b5d239")}


@pytest.mark.parametrize(
    "other",
    [
        ObjectRef("quarantine", "drops/p1/photo.jpg", "v2"),
        ObjectRef("quarantine", "drops/p1/photo.jpg"),
        ObjectRef("quarantine", "drops/p1/Photo.jpg", "v1"),
        ObjectRef("another", "drops/p1/photo.jpg", "v1"),
    ],
)
def test_another_version_key_or_bucket_is_another_asset(other: ObjectRef) -> None:
    one = source_of(ObjectRef("quarantine", "drops/p1/photo.jpg", "v1"))
    two = source_of(other)

    assert one is not None
    assert two is not None
    assert one.asset_id != two.asset_id


@pytest.mark.parametrize(
    "key",
    [
        "",
        "photo.jpg",
        "drops",
        "drops/",
        "drops/p1",
        "drops/p1/",
        "drops//photo.jpg",
        "drops/../photo.jpg",
        "drops/-p/photo.jpg",
        f"drops/{'p' * 65}/photo.jpg",
        "drops/p1/nul\0",
        "drops/p1/\ud800",
        "Drops/p1/photo.jpg",
        "uploads/p1/photo.jpg",
        "uploads/p1/3F2504E0-4F89-11D3-9A0C-0305E82C3301",
        "uploads/p1/{3f2504e0-4f89-11d3-9a0c-0305e82c3301}",
        "uploads/p1/3f2504e04f8911d39a0c0305e82c3301",
        "uploads/p1/3f2504e0-4f89-11d3-9a0c-0305e82c3301/x",
        "uploads/p1/x/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    ],
)
def test_an_odd_key_belongs_to_nobody(key: str) -> None:
    assert source_of(ObjectRef("quarantine", key, "v1")) is None


@given(ANY_TEXT)
def test_what_belongs_to_an_asset_can_be_recorded(name: str) -> None:
    for door in ("drops", "uploads"):
        source = source_of(ObjectRef("quarantine", f"{door}/p1/{name}", "v1"))

        assert source is None or is_storable(name)


# clean keys


@given(PROJECTS, st.uuids(), ANY_TEXT)
def test_a_clean_key_leads_back_to_its_asset(
    project_id: str, asset_id: UUID, filename: str
) -> None:
    key = clean_key(project_id, asset_id, filename)

    assert clean_asset_id(key) == asset_id
    assert key.isascii()
    assert PurePosixPath(key).parts == (
        project_id,
        str(asset_id),
        safe_filename(filename),
    )


@pytest.mark.parametrize("key", ["", "a", "a/b", "a/b/c", f"p1/{UUID(int=1)}", "//"])
def test_a_foreign_clean_key_belongs_to_nobody(key: str) -> None:
    assert clean_asset_id(key) is None


@given(st.text(st.sampled_from("aZ0._-/\\\0 \näａ٣"), max_size=4))
def test_a_project_id_is_one_safe_segment(text: str) -> None:
    safe = re.fullmatch(r"[aZ0][aZ0._-]*", text) is not None

    assert is_project_id(text) == safe


@pytest.mark.parametrize(
    "text", ["", ".", "..", ".a", "a/b", "a b", "ä", "a\n", "a" * 65]
)
def test_a_project_id_may_not_be(text: str) -> None:
    assert not is_project_id(text)


# names


@given(ANY_TEXT)
@example("." * 200)
@example("a" * 99 + ".tar" + "." * 50)
@example("a" * 98 + "/..")
@example("a" * 99 + "." + "b" * 20)  # cut behind the dot
@example("\u2025/\uff0e\uff0e")  # compatibility forms of dots and slashes
@example("a.\u3164")
def test_a_safe_filename_is_safe(text: str) -> None:
    name = safe_filename(text)

    assert re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name)
    assert name[0] not in ".-"
    assert name[-1] != "."


@given(ANY_TEXT)
def test_a_safe_filename_stays_as_it_is(text: str) -> None:
    name = safe_filename(text)

    assert safe_filename(name) == name


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("photo.jpg", "photo.jpg"),
        ("My Photo (1).JPG", "My_Photo_1.JPG"),
        ("Café crème.png", "Cafe_creme.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fotos\\urlaub.jpg", "urlaub.jpg"),
        ("фото.jpg", "file.jpg"),
        ("🐟", "file"),
        ("", "file"),
        ("..", "file"),
        ("a\u202egpj.exe", "a_gpj.exe"),
        ("a" * 300 + ".jpeg", "a" * 95 + ".jpeg"),
        ("a" * 300, "a" * 100),
        ("archive.tar.gz", "archive.tar.gz"),
        ("notes.this-is-no-suffix", "notes.this-is-no-suffix"),
        ("nul\0.txt", "nul.txt"),
    ],
)
def test_a_name_keeps_what_is_safe_of_it(given_name: str, expected: str) -> None:
    assert safe_filename(given_name) == expected


@given(ANY_TEXT)
def test_clean_text_has_no_control_characters(text: str) -> None:
    cleaned = clean_text(text)

    assert is_storable(cleaned)
    assert cleaned.isprintable() or not any(c in cleaned for c in "\n\r\t\x1b\u202e")
    assert clean_text(cleaned) == cleaned


# adopt


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_a_drop_that_says_so_has_consent_and_a_receipt(word: str) -> None:
    asset, consent = adopt(drop(consent=word), NOW, copied=False)

    assert asset.consent == ConsentState.GIVEN
    assert consent is not None
    assert consent.asset_id == asset.id


@pytest.mark.parametrize("word", [None, "", "false", "yes", "1", " true", "true\n"])
def test_a_drop_that_does_not_say_so_awaits_consent(word: str | None) -> None:
    asset, consent = adopt(drop(consent=word), NOW, copied=False)

    assert asset.consent == ConsentState.MISSING
    assert consent is None
    asset.arrived_at = NOW
    assert status(asset.facts) is Status.AWAITING_CONSENT


def test_a_copy_carries_no_consent() -> None:
    asset, consent = adopt(drop(consent="true"), NOW, copied=True)

    assert asset.consent == ConsentState.MISSING
    assert consent is None


def test_an_adopted_drop_is_found_again_by_its_key() -> None:
    asset, _ = adopt(drop("drops/p1/holiday/photo.jpg"), NOW, copied=False)

    assert (asset.project_id, asset.door) == ("p1", "drop")
    assert (asset.reference, asset.filename) == ("holiday/photo.jpg", "photo.jpg")
    assert (asset.source_key, asset.source_version) == (
        "drops/p1/holiday/photo.jpg",
        "v1",
    )


@given(NAMES, ANY_TEXT)
def test_an_adopted_drop_can_be_recorded(name: str, media_type: str) -> None:
    asset, _ = adopt(drop(f"drops/p1/{name}", media_type=media_type), NOW, copied=False)

    texts = [value for value in asset.model_dump().values() if isinstance(value, str)]
    assert all(map(is_storable, texts))
    assert all(len(text) <= 255 for text in texts if text is not asset.source_key)


@pytest.mark.parametrize("key", [upload_key("p1", UUID(int=1)), "elsewhere"])
def test_only_drops_are_adopted(key: str) -> None:
    with pytest.raises(ValueError, match="no drop"):
        adopt(drop(key), NOW, copied=False)
