"""The process that owns servers which outlive the command that wanted them.

It ends them when it is told to (SIGTERM), or when the process it watches has ended.
"""

import os
import select
import shutil
import signal
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import FrameType

from pydantic import BaseModel

from infra.servers import containers
from infra.servers.objectstore import minio_server
from infra.servers.postgres import postgresql_server
from infra.servers.rabbit import RabbitServer, rabbitmq_server
from infra.servers.server import Server
from infra.servers.state import Running, State, write
from schemas.errors import PratiqueError

# A request has passwords: other users may read a command line, but no environment.
REQUEST = "SERVERS_HOLD"


class Request(BaseModel):
    """What to hold.

    Args:
        state: the file that says what runs; it vanishes with the servers.
        servers: among rabbitmq, postgresql and minio, in this order.
        amqp_url: where MinIO publishes, if not to the RabbitMQ beside it.
        home: where their data goes.
        watch: the process whose end is theirs; *home* vanishes then.
    """

    state: Path
    home: Path
    servers: list[str]
    amqp_url: str | None = None
    watch: int | None = None


def main() -> None:
    """Hold what the environment asks for."""
    request = Request.model_validate_json(os.environ[REQUEST])
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # One place for all, so that it can be removed even if we are killed.
    tempfile.tempdir = str(request.home)
    os.chdir(request.home)  # whoever looks for what works there finds us
    with ExitStack() as stack:
        if request.watch is not None:
            stack.callback(shutil.rmtree, request.home, ignore_errors=True)
        state = _started(request, stack)
        write(request.state, state)
        if state.error is None:
            stack.callback(request.state.unlink, missing_ok=True)
        if state.error is None or request.watch is not None:
            _wait(request.watch)


def _started(request: Request, stack: ExitStack) -> State:
    state = State(holder=os.getpid(), home=request.home)
    try:
        for name, server in _launched(request, stack).items():
            server.ready()
            state.servers[name] = _running(server)
    except PratiqueError as exc:
        state.error = str(exc)
    return state


def _launched(request: Request, stack: ExitStack) -> dict[str, Server]:
    """Launch all of them before any is waited for."""
    amqp_url, launched = request.amqp_url, dict[str, Server]()
    for name in request.servers:
        server = stack.enter_context(_server(name, amqp_url))
        if isinstance(server, RabbitServer):
            amqp_url = server.amqp_url
        launched[name] = server
    return launched


def _server(name: str, amqp_url: str | None) -> AbstractContextManager[Server]:
    docker = containers.engine_answers()
    if name == "rabbitmq":
        return containers.rabbitmq_server() if docker else rabbitmq_server()
    if name == "postgresql":
        return containers.postgresql_server() if docker else postgresql_server()
    return containers.minio_server(amqp_url) if docker else minio_server(amqp_url)


def _running(server: Server) -> Running:
    running = Running(
        url=server.url, version=server.version(), source=server.source, pid=server.pid
    )
    if isinstance(server, RabbitServer):
        running.management_url = server.management_url
    return running


def _wait(watched: int | None) -> None:
    if watched is None:
        signal.pause()
        return
    try:
        watch = os.pidfd_open(watched)
    except ProcessLookupError:
        return
    select.select([watch], [], [])


def _leave(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: the end is not interrupted
    sys.exit(0)


if __name__ == "__main__":
    main()
