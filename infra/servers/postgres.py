"""A private PostgreSQL from the distribution's binaries."""

import pwd
import secrets
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import sqlalchemy as sa

from infra.servers.places import LOOPBACK, account, directory, free_ports
from infra.servers.processes import Process, run
from infra.servers.server import Server
from schemas.errors import SettingsError, Unavailable

INSTALLED = Path("/usr/lib/postgresql")
_TIMEOUT_S = 5


class PostgresqlServer(Server):
    """A PostgreSQL; `url` is its superuser's."""

    def answers(self) -> bool:
        """Whether it serves clients now."""
        return postgresql_answers(self.url)

    def version(self) -> str:
        """Return its version; it has to run."""
        return postgresql_version(self.url)


def postgresql_answers(url: str) -> bool:
    """Whether the PostgreSQL at a SQLAlchemy URL serves clients now."""
    try:
        return bool(postgresql_version(url))
    except psycopg2.OperationalError:
        return False


def postgresql_version(url: str) -> str:
    """Return the version of the PostgreSQL at a SQLAlchemy URL."""
    address = sa.make_url(url).set(drivername="postgresql")
    dsn = address.render_as_string(hide_password=False)
    with closing(psycopg2.connect(dsn, connect_timeout=_TIMEOUT_S)) as connection:
        # Debian's goes on with the package's version in brackets.
        return str(connection.get_parameter_status("server_version")).split()[0]


@contextmanager
def postgresql(installed: Path = INSTALLED) -> Iterator[str]:
    """Run a private PostgreSQL; give the URL of its superuser.

    Raises:
        SettingsError: its binaries are missing; the message says how to install them.
        Unavailable: it did not start; the message ends with its log.
    """
    with postgresql_server(installed) as server:
        server.ready()
        yield server.url


@contextmanager
def postgresql_server(installed: Path = INSTALLED) -> Iterator[PostgresqlServer]:
    """Launch a private PostgreSQL, whose `ready` waits until it answers.

    What it commits is synced to disk, as in production; only initdb is not.

    Raises:
        SettingsError: its binaries are missing; the message says how to install them.
        Unavailable: its data could not be laid out.
    """
    binaries = newest(installed)
    runs_as = account("postgres")
    with directory("postgresql", runs_as) as home:
        password = _initdb(binaries / "initdb", home, runs_as)
        server = _described(binaries, home, runs_as, password)
        try:
            server.launch()
            yield server
        finally:
            server.stop()
            _free_memory(home, runs_as)


def newest(installed: Path = INSTALLED) -> Path:
    """Return the directory of the newest PostgreSQL's binaries.

    Raises:
        SettingsError: there is none; the message says how to install them.
    """
    found = [home / "bin" for home in installed.glob("[0-9]*")]
    found = [binaries for binaries in found if (binaries / "initdb").exists()]
    if not found:
        raise SettingsError(
            "no PostgreSQL to test with: set TEST_DATABASE_URL, or run: "
            "sudo apt-get install -y --no-install-recommends postgresql"
        )
    return max(found, key=lambda binaries: int(binaries.parent.name))


def _described(
    binaries: Path, home: Path, runs_as: pwd.struct_passwd | None, password: str
) -> PostgresqlServer:
    port = free_ports(1)[0]
    command = [str(binaries / "postgres"), "-D", str(home / "data")]
    command += ["-p", str(port), "-h", LOOPBACK, "-k", str(home)]
    # One server serves every process of a test run.
    command += ["-c", "max_connections=300"]
    # SIGINT: end sessions and stop; SIGTERM would wait for clients to leave, and
    # SIGKILL would leave shared memory behind.
    ends = signal.SIGINT
    process = Process(command, home, runs_as=runs_as, stop=ends, orphaned=ends)
    url = f"postgresql+psycopg2://postgres:{password}@{LOOPBACK}:{port}/postgres"
    return PostgresqlServer(process, url=url)


def _free_memory(home: Path, runs_as: pwd.struct_passwd | None) -> None:
    """Remove the shared memory that a killed server left: nothing else would."""
    left = home / "data" / "postmaster.pid"
    if left.exists():
        # Its line 7 is the segment's key and number (PostgreSQL's miscinit.c).
        number = left.read_text().splitlines()[6].split()[1]
        run(["ipcrm", "-m", number], home, runs_as)


def _initdb(initdb: Path, home: Path, runs_as: pwd.struct_passwd | None) -> str:
    password = secrets.token_urlsafe(16)
    pwfile = home / "password"
    pwfile.write_text(password)
    pwfile.chmod(0o644)  # only its owner and root get into the directory
    command = [str(initdb), "-D", str(home / "data"), "-U", "postgres", "-E", "UTF8"]
    command += ["--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"]
    command += [f"--pwfile={pwfile}"]
    done = run(command, home, runs_as)
    if done.returncode:
        raise Unavailable(f"initdb failed: {done.stderr.strip()}")
    pwfile.unlink()
    return password
