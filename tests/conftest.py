"""Databases for tests: a server found or started once a session, on first use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from infra.database import open_records
from infra.servers import postgresql

# A busy machine is slow; that is no fault of what is tested.
settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")


@pytest.fixture(scope="session")
def postgresql_admin() -> Iterator[sa.Engine]:
    """A PostgreSQL to test with: TEST_DATABASE_URL's, else a private one.

    Without either the test fails and says what to install.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield from _engine(given)
        return
    with postgresql() as url:
        yield from _engine(url)


@pytest.fixture
def postgresql_url(postgresql_admin: sa.Engine) -> Iterator[str]:
    """The URL of an empty schema of the test's own."""
    with _schema(postgresql_admin) as url:
        yield url


@pytest.fixture(scope="session")
def _postgresql_tables(postgresql_admin: sa.Engine) -> Iterator[str]:
    with _schema(postgresql_admin) as url:
        _provision(url)
        yield url


@pytest.fixture
def postgresql_records(_postgresql_tables: str, postgresql_admin: sa.Engine) -> str:
    """The URL of a schema with Pratique's tables, all of them empty."""
    schema = sa.make_url(_postgresql_tables).query["options"]
    with postgresql_admin.connect() as connection:
        for table in ("asset_events", "consents", "assets", "projects"):
            name = f"{str(schema).rpartition('=')[2]}.{table}"
            connection.exec_driver_sql(f"DELETE FROM {name}")
    return _postgresql_tables


@pytest.fixture(scope="session")
def _sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "assets.db"
    _provision(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_records(_sqlite_tables: Path, tmp_path: Path) -> str:
    """The URL of a SQLite file with Pratique's tables, all of them empty."""
    copyfile(_sqlite_tables, tmp_path / "assets.db")
    return f"sqlite:///{tmp_path}/assets.db"


def _provision(url: str) -> None:
    records = open_records(url, clock=lambda: datetime.now(UTC), grace=timedelta())
    records.provision()
    records.close()


def _engine(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@contextmanager
def _schema(admin: sa.Engine) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    url = admin.url.update_query_dict({"options": f"-c search_path={name}"})
    yield url.render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.schema.DropSchema(name, cascade=True))
