"""Worlds for journeys: the platform on real servers."""

import os
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from infra.servers import RabbitAccess, minio
from tests.databases import schema
from tests.worlds import Servers


@pytest.fixture(scope="module")
def servers(
    request: pytest.FixtureRequest,
    rabbitmq_server: RabbitAccess,
    postgresql_admin: sa.Engine,
) -> Iterator[Servers]:
    """Servers for one module: nobody else publishes to its queues."""
    with schema(postgresql_admin) as database:
        if os.environ.get("TEST_STORE_URL"):
            given = request.getfixturevalue("minio_server")
            yield Servers(given.url, given.amqp_url, given.management_url, database)
            return
        with rabbitmq_server.vhost() as vhost, minio(vhost.amqp_url) as store:
            yield Servers(store.url, vhost.amqp_url, vhost.management_url, database)
