"""docker-compose.yml says what the code says: it cannot drift from what is tested."""

import json
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest
from pydantic_settings import BaseSettings

from infra.notifications import environment
from infra.platform import Platform, discover
from infra.provision import ProvisionSettings
from infra.provision.broker_rights import broker_users
from infra.provision.store_rights import store_users
from infra.sandbox import SandboxSettings
from infra.servers import containers
from infra.settings import PlatformSettings, load, variables
from tests.compositions import ROOT, SERVERS, compose, last, services, stages

OURS = sorted(set(compose()["services"]) - SERVERS)
FUNCTIONS = sorted(discover())
RUNNING = [name for name in OURS if name != "provision"]
USERS = {
    "PRATIQUE_STORE": "store",
    "PRATIQUE_BROKER": "broker",
    "PRATIQUE_BROKER_MANAGEMENT": "broker",
}
KINDS: list[type[BaseSettings]] = [
    PlatformSettings,
    SandboxSettings,
    ProvisionSettings,
    *(function.settings for function in discover().values()),
]


def values(name: str) -> dict[str, str]:
    found: dict[str, str] = services()[name]["environment"]
    return found


def url(name: str, variable: str) -> SplitResult:
    return urlsplit(values(name)[variable].removeprefix("s3+"))


def provisioned() -> dict[str, dict[str, str]]:
    """Return user to secret as provision makes them, for the store and the broker."""
    names, given = ProvisionSettings(), values("provision")
    store = json.loads(given["PROVISION_STORE_SECRETS"])
    broker = json.loads(given["PROVISION_BROKER_SECRETS"])
    return {
        "store": {names.store_user(short): secret for short, secret in store.items()},
        "broker": {
            names.broker_user(short): secret for short, secret in broker.items()
        },
    }


def test_the_images_are_those_that_tests_start() -> None:
    images = {name: compose()["services"][name]["image"] for name in SERVERS}

    assert images == {
        "minio": containers.MINIO_IMAGE,
        "rabbitmq": containers.RABBITMQ_IMAGE,
        "postgres": containers.POSTGRESQL_IMAGE,
    }


def test_there_is_a_service_for_each_function_and_two_to_operate_them() -> None:
    assert sorted(OURS) == sorted([*FUNCTIONS, "provision", "operator"])


def test_the_services_are_built_from_the_targets_of_the_dockerfile() -> None:
    targets = {name: services()[name]["build"]["target"] for name in OURS}

    assert targets == {
        **{name: name for name in FUNCTIONS},
        "provision": "pratique",
        "operator": "pratique",
    }
    assert set(targets.values()) <= set(stages())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_target_runs_its_function(name: str) -> None:
    assert json.loads(last(name, "CMD")) == ["run", name]


def test_minio_publishes_as_the_code_says() -> None:
    given = {n: v for n, v in values("minio").items() if "NOTIFY" in n}

    publisher = provisioned()["broker"]["minio"]
    assert given == environment(f"amqp://minio:{publisher}@rabbitmq:5672/pratique")


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_ours_is_a_setting(name: str) -> None:
    known = set().union(*map(variables, KINDS))

    assert set(values(name)) <= known


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OURS)
def test_the_settings_take_every_value(
    name: str, kind: type[BaseSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in values(name).items():
        monkeypatch.setenv(variable, value)

    load(kind)


def test_provision_makes_all_users_that_it_knows_of() -> None:
    names = ProvisionSettings()
    store = {names.store_user(short) for short in store_users(discover())}
    with Platform(load(PlatformSettings, store="s3+http://k:s@h")) as platform:
        broker = {names.broker_user(short) for short in broker_users(platform)}

    assert {kind: set(users) for kind, users in provisioned().items()} == {
        "store": store,
        "broker": broker,
    }


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_is_a_user_that_provision_makes_with_its_secret(name: str) -> None:
    users = [
        (kind, url(name, variable))
        for variable, kind in USERS.items()
        if variable in values(name)
    ]

    made = provisioned()
    assert {kind for kind, _ in users} == set(made)
    for kind, given in users:
        assert given.password == made[kind].get(str(given.username))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_its_own_user(name: str) -> None:
    given = (url(name, "PRATIQUE_STORE"), url(name, "PRATIQUE_BROKER"))

    assert [each.username for each in given] == [
        ProvisionSettings().store_user(name),
        ProvisionSettings().broker_user(name),
    ]


@pytest.mark.parametrize("signer", ["upload-signer", "download-signer"])
def test_urls_are_signed_by_a_user_of_its_own(signer: str) -> None:
    variable = f"PRATIQUE_{signer.upper().replace('-', '_')}"

    key, _, secret = values("upload")[variable].partition(":")

    assert key == ProvisionSettings().store_user(signer)
    assert secret == provisioned()["store"][key]


def test_provision_is_the_administrator_of_each_server() -> None:
    administrators = {
        (url("provision", variable).username, url("provision", variable).password)
        for variable in USERS
    }

    minio, rabbitmq = values("minio"), values("rabbitmq")
    assert administrators == {
        (minio["MINIO_ROOT_USER"], minio["MINIO_ROOT_PASSWORD"]),
        (rabbitmq["RABBITMQ_DEFAULT_USER"], rabbitmq["RABBITMQ_DEFAULT_PASS"]),
    }


@pytest.mark.parametrize("name", OURS)
def test_the_database_is_the_one_that_postgres_makes(name: str) -> None:
    given, made = url(name, "PRATIQUE_DATABASE"), values("postgres")

    assert (given.username, given.password, given.path) == (
        made["POSTGRES_USER"],
        made["POSTGRES_PASSWORD"],
        f"/{made['POSTGRES_DB']}",
    )


@pytest.mark.parametrize("name", [*OURS, "minio"])
def test_servers_are_reached_on_their_ports_over_a_common_network(name: str) -> None:
    addresses = {
        (each.hostname, each.port)
        for value in values(name).values()
        if (each := urlsplit(value.removeprefix("s3+"))).hostname in SERVERS
    }

    known = {("minio", 9000), ("rabbitmq", 5672), ("rabbitmq", 15672)}
    assert addresses
    assert addresses <= known | {("postgres", 5432)}
    assert "backend" in services()[name]["networks"]
    assert all("backend" in services()[server]["networks"] for server in SERVERS)


@pytest.mark.parametrize("name", [*OURS, "minio"])
def test_all_meet_in_the_vhost_that_rabbitmq_makes(name: str) -> None:
    vhosts = {
        urlsplit(value).path
        for value in values(name).values()
        if value.startswith("amqp:")
    }

    assert vhosts == {f"/{values('rabbitmq')['RABBITMQ_DEFAULT_VHOST']}"}


def test_the_published_ports_are_those_that_are_listened_on() -> None:
    inside = {
        name: int(service["ports"][0].rpartition(":")[2])
        for name, service in services().items()
        if "ports" in service
    }

    assert inside == {
        "upload": PlatformSettings.model_fields["port"].default,
        "minio": url("upload", "PRATIQUE_STORE").port,
    }


@pytest.mark.parametrize(
    ("variable", "server"),
    [("PRATIQUE_STORE_PUBLIC_URL", "minio"), ("PRATIQUE_PUBLIC_URL", "upload")],
)
def test_what_clients_are_told_is_what_is_published(variable: str, server: str) -> None:
    published = services()[server]["ports"][0].rpartition(":")[0]

    assert values("upload")[variable] == f"http://{published}"


@pytest.mark.parametrize(
    ("name", "variable"),
    [("upload", "UPLOAD_TMP_DIR"), ("sanitizer", "SANITIZER_TMP_DIR")],
)
def test_large_files_lie_in_a_volume_not_in_memory(name: str, variable: str) -> None:
    mounts = [volume.rpartition(":")[2] for volume in services()[name]["volumes"]]

    assert mounts == [values(name)[variable]]
    assert f"-m 0700 {mounts[0]}" in last("runtime", "RUN")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_health_check_runs_a_module_that_is_there(name: str) -> None:
    command: Any = services()[name]["healthcheck"]["test"]

    assert command == ["CMD", "python", "-m", "infra.healthcheck", "readyz"]
    assert (ROOT / "infra" / "healthcheck.py").exists()
