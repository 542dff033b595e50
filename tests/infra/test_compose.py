"""docker-compose.yml by itself: valid, complete, and closed to the world."""

import re
from copy import deepcopy
from typing import Any

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator

from infra import sandbox
from infra.brokers import amqp_connection, amqp_consumers
from infra.settings import PlatformSettings
from tests.compositions import EXAMPLE, SERVERS, compose, names, services, variables

SERVICES = sorted(compose()["services"])
LASTING = [name for name in SERVICES if name not in ("provision", "operator")]
OURS = [name for name in SERVICES if name not in SERVERS]
SCHEMA = Draft202012Validator(get_builtin_schema("vendor.compose-spec"))


def test_it_is_valid_by_the_specification() -> None:
    errors = [error.message for error in SCHEMA.iter_errors(compose())]

    assert errors == []


def test_a_misspelt_key_is_not_valid() -> None:
    misspelt = deepcopy(compose())
    misspelt["services"]["upload"]["heathcheck"] = {}

    assert not SCHEMA.is_valid(misspelt)


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_is_a_service(name: str) -> None:
    waits_for = compose()["services"][name].get("depends_on", {})

    assert set(waits_for) <= set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_what_must_be_healthy_has_a_health_check(name: str) -> None:
    waits_for = compose()["services"][name].get("depends_on", {})

    watched = {s for s in SERVICES if "healthcheck" in compose()["services"][s]}
    assert {
        s for s, how in waits_for.items() if how["condition"] == "service_healthy"
    } <= watched


def test_the_volumes_that_are_declared_are_those_in_use() -> None:
    used = {
        volume.partition(":")[0]
        for service in compose()["services"].values()
        for volume in service.get("volumes", [])
    }

    assert used == set(compose()["volumes"])


def test_the_networks_that_are_declared_are_those_in_use() -> None:
    used = {n for s in compose()["services"].values() for n in s["networks"]}

    assert used == set(compose()["networks"])


def test_what_has_to_be_filled_in_is_what_the_example_names() -> None:
    required = {name for name, kinds in variables().items() if "?" in kinds}

    assert names(EXAMPLE) == required


def test_what_may_be_filled_in_stands_in_the_example_as_a_comment() -> None:
    optional = {name for name, kinds in variables().items() if kinds == {"-"}}

    assert set(re.findall(r"^#([A-Z_]+)=", EXAMPLE, re.MULTILINE)) == optional


def test_a_variable_is_never_silently_empty_nor_required_here_and_not_there() -> None:
    assert {
        name: kinds
        for name, kinds in variables().items()
        if kinds not in ({"?"}, {"-"})
    } == {}


def test_the_example_holds_no_secret() -> None:
    assert re.findall(r"^[A-Z][A-Z0-9_]*=.+", EXAMPLE, re.MULTILINE) == []


def test_only_the_http_api_and_the_store_are_published_and_on_loopback_only() -> None:
    published = {n: s["ports"] for n, s in services().items() if "ports" in s}

    assert published == {
        "minio": ["127.0.0.1:9000:9000"],
        "upload": ["127.0.0.1:8000:8000"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_write_to_its_volumes_only_and_has_no_capabilities(
    name: str,
) -> None:
    service = compose()["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_limit_of_memory(name: str) -> None:
    limits = compose()["services"][name]["deploy"]["resources"]["limits"]

    assert re.fullmatch(r"\d+[mg]", limits["memory"])


@pytest.mark.parametrize("name", SERVICES)
def test_any_service_could_run_twice(name: str) -> None:
    assert "container_name" not in compose()["services"][name]


@pytest.mark.parametrize("name", LASTING)
def test_what_runs_on_is_watched_and_started_again(name: str) -> None:
    service = compose()["services"][name]

    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", sorted({*LASTING} - SERVERS))
def test_a_function_starts_when_all_is_provisioned(name: str) -> None:
    assert compose()["services"][name]["depends_on"] == {
        "provision": {"condition": "service_completed_successfully"}
    }


def test_provisioning_waits_for_the_three_servers() -> None:
    provision = compose()["services"]["provision"]

    assert provision["restart"] == "no"  # else nobody would wait for its end
    assert provision["depends_on"] == {
        name: {"condition": "service_healthy"} for name in SERVERS
    }


@pytest.mark.parametrize("name", sorted({*LASTING} - SERVERS))
def test_a_function_is_given_the_time_that_it_takes_to_stop(name: str) -> None:
    service = compose()["services"][name]

    stop_s = service["environment"].get("PRATIQUE_STOP_S", default("stop_s"))
    leaving_s = sandbox._CLOSE_S + amqp_consumers._LEAVE_S + amqp_connection._CLOSE_S
    given_s = int(service["stop_grace_period"].removesuffix("s"))
    assert given_s > float(stop_s) + leaving_s


@pytest.mark.parametrize("name", OURS)
def test_a_sandbox_for_each_process_fits_in_the_memory(name: str) -> None:
    service = compose()["services"][name]
    processes = int(service["environment"].get("SANDBOX_PROCESSES", 0))

    gibibytes = service["deploy"]["resources"]["limits"]["memory"].removesuffix("g")
    assert not processes or processes < int(gibibytes)


def default(name: str) -> Any:
    return PlatformSettings.model_fields[name].default
