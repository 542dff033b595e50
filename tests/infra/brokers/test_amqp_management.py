"""RabbitMQ's management API: errors in words, and no password in any of them."""

import logging
import socket

import pytest

from infra.brokers.management import Management, path
from infra.servers import Vhost
from schemas.errors import SettingsError, Unavailable


@pytest.mark.parametrize(
    "url", ["", "sesame", "amqp://u:sesame@host", "http://u:sesame@", "http://[sesame"]
)
def test_a_url_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="PRATIQUE_BROKER_MANAGEMENT") as refused:
        Management(url)

    assert "sesame" not in str(refused.value)


def test_a_vhost_may_have_any_name() -> None:
    assert path("queues", "/", "a b?") == "/api/queues/%2F/a%20b%3F"


def test_an_api_that_is_away_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    management = Management(f"http://u:p@127.0.0.1:{port}")

    with pytest.raises(Unavailable):
        management.get("/api/overview")


def test_a_closed_client_is_unavailable() -> None:
    management = Management("http://u:p@127.0.0.1:1")
    management.close()

    with pytest.raises(Unavailable):
        management.get("/api/overview")


@pytest.mark.servers
def test_a_refused_user_is_told_in_words(
    broker_vhost: Vhost, caplog: pytest.LogCaptureFixture
) -> None:
    scheme, _, rest = broker_vhost.management_url.partition("://")
    user = rest.partition(":")[0]
    wrong = f"{scheme}://{user}:sesame@{rest.rpartition('@')[2]}"
    management = Management(wrong)

    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(SettingsError, match="refuses the user") as refused,
    ):
        management.queues(broker_vhost.name)

    management.close()
    assert "sesame" not in f"{refused.value} {caplog.text}"


@pytest.mark.servers
def test_a_missing_vhost_is_named(management: Management) -> None:
    with pytest.raises(SettingsError, match="no vhost 'nowhere/'"):
        management.queues("nowhere/")

    management.close()


@pytest.mark.servers
def test_nothing_is_where_nothing_was_put(management: Management) -> None:
    management.delete(path("users", "nobody-at-all"))
    found = management.get(path("users", "nobody-at-all"))

    management.close()
    assert found is None


@pytest.mark.servers
def test_what_the_api_does_not_like_is_told(
    broker_vhost: Vhost, management: Management
) -> None:
    where = path("policies", broker_vhost.name, "wrong")

    with pytest.raises(SettingsError, match="400"):
        management.put(where, {"pattern": "(", "definition": {}})

    management.close()
