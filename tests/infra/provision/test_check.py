"""What a function says it lacks at its start, seen with its own credentials."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.brokers.management import path
from infra.provision import provision
from infra.provision.check import lacking
from tests.infra.provision import houses
from tests.infra.provision.houses import FUNCTIONS, House

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def made(
    minio_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with houses.house(minio_server, tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture
def house(made: House) -> House:
    provision(made.platform, made.secrets)
    return made


def lacked(house: House, name: str, **given: Any) -> list[str]:
    """Return what a function lacks, without the prefix of this house's names."""
    with house.seen_by(name, **given) as own:
        found = lacking(own, own.select((name,)))
    return [line.replace(house.secrets.store_prefix, "") for line in found]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_on_a_provisioned_platform_a_function_lacks_nothing(
    house: House, name: str
) -> None:
    assert lacked(house, name) == []


def no_bucket(house: House) -> None:
    house.store.client().remove_bucket(house.store.buckets.clean)


def no_versions(house: House) -> None:
    client, bucket = house.store.client(), house.store.buckets.quarantine
    client.remove_bucket(bucket)
    client.make_bucket(bucket)


def no_notifications(house: House) -> None:
    bucket = house.store.buckets.clean
    house.store.client().delete_bucket_notification(bucket)


def no_queue(house: House) -> None:
    house.management.delete(path("queues", vhost(house), "metadata"))


def vhost(house: House) -> str:
    broker = house.platform.settings.broker
    return broker.get_secret_value().rpartition("/")[2]


@pytest.mark.parametrize(
    ("drift", "name", "lack"),
    [
        (
            no_bucket,
            "metadata",
            [
                "bucket clean is missing, or has versions",
                "bucket clean does not announce what is put into it",
            ],
        ),
        (
            no_versions,
            "upload",
            ["bucket quarantine is missing, or has no versions"],
        ),
        (
            no_notifications,
            "metadata",
            ["bucket clean does not announce what is put into it"],
        ),
        (no_queue, "metadata", ["queue metadata is missing, incomplete or not bound"]),
    ],
)
def test_what_is_missing_is_said_with_how_to_mend_it(
    house: House, drift: Callable[[House], None], name: str, lack: list[str]
) -> None:
    drift(house)

    found = lacked(house, name)

    provision(house.platform, house.secrets)
    assert found == [f"{line}: `pratique provision` mends it" for line in lack]
    assert lacked(house, name) == []


def test_upload_lacks_signers_that_are_not_set(house: House) -> None:
    found = lacked(house, "upload", upload_signer=None)

    assert [line.partition(",")[0] for line in found] == [
        "PRATIQUE_UPLOAD_SIGNER is not set"
    ]
