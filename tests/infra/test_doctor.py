"""What `pratique doctor` finds on real servers."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from infra.doctor import Finding, examine
from infra.provision import provision
from infra.settings import PlatformSettings
from tests.infra.provision import houses
from tests.infra.provision.houses import House

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def made(
    minio_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with houses.house(minio_server, tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture
def house(made: House, monkeypatch: pytest.MonkeyPatch) -> House:
    provision(made.platform, made.secrets)
    secrets = made.secrets
    monkeypatch.setenv("PROVISION_STORE_PREFIX", secrets.store_prefix)
    monkeypatch.setenv("PROVISION_BROKER_PREFIX", secrets.broker_prefix)
    for port in ("store", "broker"):
        given = getattr(secrets, f"{port}_secrets").items()
        plain = {name: secret.get_secret_value() for name, secret in given}
        monkeypatch.setenv(f"PROVISION_{port.upper()}_SECRETS", json.dumps(plain))
    return made


def settings(house: House, **given: Any) -> PlatformSettings:
    """Return an administrator's settings, signers among them."""
    signers = {
        "upload_signer": house.signer("upload-signer"),
        "download_signer": house.signer("download-signer"),
    }
    return house.platform.settings.model_copy(update={**signers, **given})


def wrong(house: House, **given: Any) -> dict[str, str]:
    """Return the details of what is not well."""
    findings = examine(settings(house, **given), None)
    return {finding.check: finding.detail for finding in findings if not finding.ok}


def test_a_provisioned_platform_is_well(house: House) -> None:
    findings = examine(settings(house), None)

    assert [finding for finding in findings if not finding.ok] == []
    assert Finding("users", ok=True, detail="13 let in", mend="") in findings
    assert Finding("drift", ok=True, detail="nothing drifted", mend="") in findings


def no_notifications(house: House) -> None:
    bucket = house.store.buckets.clean
    house.store.client().delete_bucket_notification(bucket)


def other_secret(house: House) -> None:
    user = house.secrets.store_user("janitor")
    house.store.admin.user_add(user, "another secret")


def no_broker_user(house: House) -> None:
    house.management.delete(f"/api/users/{house.secrets.broker_user('minio')}")


def more_rights(house: House) -> None:
    user = house.secrets.store_user("sanitizer")
    house.store.admin.attach_policy(["consoleAdmin"], user=user)


@pytest.mark.parametrize(
    ("drift", "checks"),
    [
        (no_notifications, {"notifications", "drift"}),
        (other_secret, {"users", "drift"}),
        (no_broker_user, {"users", "drift"}),
        (more_rights, {"drift"}),
    ],
)
def test_drift_is_found_where_it_is(
    house: House, drift: Callable[[House], None], checks: set[str]
) -> None:
    drift(house)

    assert set(wrong(house)) == checks


def test_a_signer_that_may_read_is_dangerous(house: House) -> None:
    found = wrong(house, upload_signer=house.signer("sanitizer"))

    assert set(found) == {"signers"}
    assert "dangerous: PRATIQUE_UPLOAD_SIGNER may read" in found["signers"]
    assert house.store.buckets.clean in found["signers"]


def test_signers_that_are_not_set_or_refused_are_found(house: House) -> None:
    refused = SecretStr("nobody:with-a-secret")

    found = wrong(house, upload_signer=None, download_signer=refused)

    assert "PRATIQUE_UPLOAD_SIGNER is not set" in found["signers"]
    assert "PRATIQUE_DOWNLOAD_SIGNER is refused" in found["signers"]


def test_who_is_no_administrator_is_not_blamed_for_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVISION_BROKER_SECRETS", "{}")

    findings = examine(of_operator(house), None)

    assert [finding for finding in findings if not finding.ok] == []
    drift = next(finding for finding in findings if finding.check == "drift")
    assert "administrator" in drift.detail


def of_operator(house: House) -> PlatformSettings:
    """Return settings with the credentials that compose gives operators."""
    management = house.platform.settings.broker_management
    assert management is not None
    where = management.get_secret_value().rpartition("@")[2]
    user = house.secrets.broker_user("operator")
    operator = SecretStr(f"http://{user}:secret-of-operator@{where}")
    given = {
        "store": house.store_url("janitor"),
        "broker": house.broker_url("operator"),
        "broker_management": operator,
    }
    return settings(house, **given)
