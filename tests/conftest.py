"""Servers for tests: found or started once a run, on first use, and ended with it."""

import gc
import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from infra.database import open_records
from infra.servers import RabbitAccess, Vhost, postgresql_version
from infra.servers.shared import Run
from infra.servers.state import Running
from tests.databases import schema

# A busy machine is slow; that is no fault of what is tested.
settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")


# Which server stands behind a fixture; what a test used is asked by these names.
FIXTURES = {
    "postgresql_admin": "postgresql",
    "rabbitmq_server": "rabbitmq",
    "minio_server": "minio",
}


@dataclass(frozen=True)
class Minio:
    """A MinIO, and the virtual host where its notifications arrive."""

    url: str
    amqp_url: str
    management_url: str


def pytest_configure(config: pytest.Config) -> None:
    """Name the place where the processes of this run find its servers."""
    if not hasattr(config, "workerinput"):
        name = f"pratique-run-{os.getpid()}-{secrets.token_hex(4)}"
        # Made by the first that needs a server: most runs of one test need none.
        os.environ["TEST_RUN_DIRECTORY"] = str(Path(tempfile.gettempdir()) / name)
        os.environ["TEST_RUN_PROCESS"] = str(os.getpid())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import the tests without a search for garbage, and never search them again.

    Modules and tests are most of a process's objects, and last as long as it does: to
    walk them over and over took a fifth of the run.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run's servers; if we are killed before, they notice."""
    if not hasattr(config, "workerinput"):
        _run().end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which servers the tests ran on."""
    tests = _tests_by_server(terminalreporter)
    rows = [("server", "version", "from", "tests")]
    for server, running in sorted(_servers_of_the_run().items()):
        row = (server, running.version, running.source, str(tests[server]))
        rows.append(row)
    if tests["private"]:
        rows.append(("of a test's own", "", "binary", str(tests["private"])))
    if rows[1:]:
        terminalreporter.section("servers")
    for row in rows if rows[1:] else []:
        terminalreporter.line("{:17}{:37}{:19}{:>5}".format(*row))


def _tests_by_server(reporter: pytest.TerminalReporter) -> Counter[str]:
    # Only what was done after the test is in every report's properties.
    return Counter(
        str(value)
        for reports in reporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "teardown"
        for name, value in report.user_properties
        if name == "server"
    )


def _servers_of_the_run() -> dict[str, Running]:
    found: dict[str, Running] = {}
    for state in _run().states().values():
        found |= state.servers
    return found


def _run() -> Run:
    return Run(
        Path(os.environ["TEST_RUN_DIRECTORY"]), int(os.environ["TEST_RUN_PROCESS"])
    )


@pytest.fixture(scope="session")
def postgresql_admin() -> Iterator[sa.Engine]:
    """A PostgreSQL to test with: TEST_DATABASE_URL's, else the run's own.

    Without either the test fails and says what to install.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        version = postgresql_version(given)
        running = Running(url=given, version=version, source="TEST_DATABASE_URL")
        _run().note("postgresql", "postgresql", running)
    else:
        running = _run().obtain("postgresql", "postgresql")
    engine = sa.create_engine(running.url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def rabbitmq_server() -> RabbitAccess:
    """A RabbitMQ to test with: TEST_BROKER_URL's, else the run's own."""
    url = os.environ.get("TEST_BROKER_URL")
    if not url:
        running = _run().obtain("rabbitmq", "rabbitmq")
        return RabbitAccess(running.url, str(running.management_url))
    management = os.environ.get("TEST_BROKER_MANAGEMENT")
    assert management, "TEST_BROKER_URL wants TEST_BROKER_MANAGEMENT beside it"
    access = RabbitAccess(url, management)
    noted = Running(url=url, version=access.version(), source="TEST_BROKER_URL")
    _run().note("rabbitmq", "rabbitmq", noted)
    return access


@pytest.fixture
def broker_vhost(rabbitmq_server: RabbitAccess) -> Iterator[Vhost]:
    """An empty virtual host of the test's own."""
    with rabbitmq_server.vhost() as vhost:
        yield vhost


@pytest.fixture(scope="session")
def minio_server(rabbitmq_server: RabbitAccess) -> Iterator[Minio]:
    """A MinIO that publishes to `amqp_url`: TEST_STORE_URL's, else one of our own.

    Each worker has its own, as where it publishes is fixed when it starts. The one of
    TEST_STORE_URL has to publish to TEST_BROKER_URL, and suits one worker.
    """
    given = os.environ.get("TEST_STORE_URL")
    if given:
        noted = Running(url=given, version="unknown", source="TEST_STORE_URL")
        _run().note("minio", "minio", noted)
        yield Minio(given, rabbitmq_server.amqp_url, rabbitmq_server.management_url)
        return
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with rabbitmq_server.vhost() as vhost:
        running = _run().obtain(f"minio-{worker}", "minio", vhost.amqp_url)
        yield Minio(running.url, vhost.amqp_url, vhost.management_url)


@pytest.fixture(autouse=True)
def _servers_used(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[None]:
    yield
    used = [FIXTURES[name] for name in FIXTURES if name in request.fixturenames]
    if request.node.get_closest_marker("servers") and not used:
        used = ["private"]
    for server in used:
        record_property("server", server)


@pytest.fixture
def postgresql_url(postgresql_admin: sa.Engine) -> Iterator[str]:
    """The URL of an empty schema of the test's own."""
    with schema(postgresql_admin) as url:
        yield url


@pytest.fixture(scope="session")
def _postgresql_tables(postgresql_admin: sa.Engine) -> Iterator[str]:
    with schema(postgresql_admin) as url:
        _provision(url)
        yield url


@pytest.fixture
def postgresql_records(_postgresql_tables: str, postgresql_admin: sa.Engine) -> str:
    """The URL of a schema with Pratique's tables, all of them empty."""
    options = sa.make_url(_postgresql_tables).query["options"]
    with postgresql_admin.connect() as connection:
        for table in ("asset_events", "consents", "assets", "projects"):
            name = f"{str(options).rpartition('=')[2]}.{table}"
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
