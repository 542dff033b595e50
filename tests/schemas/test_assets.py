"""Consent is one word, a receipt never changes, a moment is in UTC."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from schemas.assets import Asset, AssetRead, UTCDateTime, is_consent, receipt
from schemas.lifecycle import Check, Status
from tests.records import NOW, new_asset

ASSET = UUID("3f2504e0-4f89-41d3-9a0c-0305e82c3301")
DIALECT = sqlite.dialect()
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 3),  # noqa: DTZ001  (hypothesis adds the zone)
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001  (hypothesis adds the zone)
    timezones=st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone),
)


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "tRuE"])
def test_the_word_true_in_any_case_is_consent(word: str) -> None:
    assert is_consent(word)


@pytest.mark.parametrize(
    "word",
    [
        *(None, "", "false", "yes", "1", "on", "tru", "truee", "true true"),
        *(" true", "true ", "true\n", "true\0", '"true"', "ｔｒｕｅ"),
        *(True, 1, b"true", ["true"]),
    ],
)
def test_anything_else_is_no_consent(word: object) -> None:
    assert not is_consent(word)


def test_a_receipt_is_canonical_json() -> None:
    asset = new_asset(id=ASSET, user_id='Jörg "x"\n\u2028')

    given_consent = receipt(asset, None, datetime(2026, 3, 1, tzinfo=UTC))

    # RFC 8785: sorted keys, no blanks, UTF-8, only what must be is escaped.
    assert given_consent.receipt == (
        '{"asset_id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301","door":"form",'
        '"given_at":"2026-03-01T00:00:00+00:00","project_id":"p1",'
        '"terms_version":null,"user_id":"Jörg \\"x\\"\\n\u2028"}'
    )


def test_a_receipts_hash_is_fixed_for_ever() -> None:
    asset = new_asset(id=ASSET)

    given_consent = receipt(asset, "2026-01", datetime(2026, 3, 1, tzinfo=UTC))

    assert given_consent.sha256 == (
        "04452d61f8a9072a6a38ef04c04e72e7d1df94173651611b52d9bb71b2d05679"
    )


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_the_hash_is_that_of_the_receipt_and_the_receipt_says_all(
    user_id: str, terms: str
) -> None:
    given_consent = receipt(new_asset(user_id=user_id), terms, NOW)

    body = json.loads(given_consent.receipt)
    assert (body["user_id"], body["terms_version"]) == (user_id, terms)
    digest = hashlib.sha256(given_consent.receipt.encode()).hexdigest()
    assert given_consent.sha256 == digest


@given(MOMENTS)
def test_a_receipt_is_the_same_in_every_time_zone(moment: datetime) -> None:
    asset = new_asset(id=ASSET)

    here, there = (receipt(asset, "t", at) for at in (moment, moment.astimezone(UTC)))

    assert here.sha256 == there.sha256


def test_a_receipt_at_no_certain_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        receipt(new_asset(), None, datetime(2026, 3, 1))  # noqa: DTZ001  (on purpose)


@given(MOMENTS)
def test_a_moment_comes_back_as_the_same_moment_in_utc(moment: datetime) -> None:
    kind = UTCDateTime()

    bound = kind.process_bind_param(moment, DIALECT)
    assert bound is not None
    # SQLite forgets the zone; PostgreSQL tells the moment in one of its own.
    for read in (bound.replace(tzinfo=None), moment):
        returned = kind.process_result_value(read, DIALECT)

        assert returned == moment
        assert returned is not None
        assert returned.tzinfo is UTC


def test_a_naive_datetime_is_not_stored() -> None:
    with pytest.raises(ValueError, match="naive"):
        UTCDateTime().process_bind_param(datetime(2026, 3, 1), DIALECT)  # noqa: DTZ001  (on purpose)


def test_no_moment_stays_no_moment() -> None:
    kind = UTCDateTime()

    assert kind.process_bind_param(None, DIALECT) is None
    assert kind.process_result_value(None, DIALECT) is None


def test_an_asset_knows_its_facts() -> None:
    asset = new_asset(arrived_at=NOW, promotion="clean", checks={"virus": "pass"})

    facts = asset.facts

    assert facts.arrived
    assert not facts.withdrawn
    assert facts.checks == {"virus": Check.PASS}
    assert (facts.consent, facts.promotion) == ("given", "clean")


@pytest.mark.parametrize(
    ("fact", "version", "awaits"),
    [
        ({}, "v1", True),
        ({"source_version": "v1"}, "v1", True),
        ({"source_version": "v1"}, "v2", False),
        ({"promotion": "held"}, "v1", True),
        ({"promotion": "released"}, "v1", True),
        ({"promotion": "clean"}, "v1", False),
        ({"promotion": "refused"}, "v1", False),
        ({"withdrawn_at": NOW}, "v1", False),
    ],
)
def test_an_asset_awaits_only_its_own_undecided_version(
    fact: dict[str, object], version: str, awaits: bool
) -> None:
    assert new_asset(**fact).awaits(version) is awaits


def test_clients_read_an_asset_without_what_is_ours() -> None:
    asset: Asset = new_asset(status=Status.PROCESSED, details={"width": 1})

    read = AssetRead.model_validate(asset).model_dump(mode="json")

    assert read["final"] is True
    assert read["metadata"] == {"width": 1}
    assert not {"source_key", "source_version", "consent_hash"} & read.keys()
