"""Where a process tells how it is: /livez and /readyz for whoever restarts or routes,
/metrics for whoever watches.

Alive is a process whose functions all run; ready is one that can do its work now, so
its store, its database and its broker answer.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.http import Server
from infra.listening import listen
from infra.metrics import EXPOSITION, exposition
from infra.service import Service
from schemas.ports import ASGIApp

log = logging.getLogger(__name__)
_STOP_S = 1


def health_app(service: Service) -> ASGIApp:
    """Return an app that answers for *service*."""

    def livez(request: Request) -> JSONResponse:
        ended = service.ended()
        return JSONResponse({"alive": not ended, "ended": ended}, 503 if ended else 200)

    def readyz(request: Request) -> JSONResponse:
        troubles = service.troubles()
        answer = {"ready": not troubles, "troubles": troubles}
        return JSONResponse(answer, 503 if troubles else 200)

    def metrics(request: Request) -> Response:
        return Response(exposition(service), media_type=EXPOSITION)

    answers = {"/livez": livez, "/readyz": readyz, "/metrics": metrics}
    return Starlette(routes=[Route(path, tell) for path, tell in answers.items()])


@contextmanager
def answering(service: Service, address: str) -> Iterator[str]:
    """Answer for *service* on `HOST:PORT` while the block lasts; give the URL.

    Raises:
        SettingsError: the address is taken or not this machine's.
    """
    host, _, port = address.rpartition(":")
    listening = listen(host.strip("[]"), int(port), "PRATIQUE_HEALTH")
    url = f"http://{host}:{listening.getsockname()[1]}"
    server = Server(health_app(service), listening, _STOP_S)
    server.start()
    log.info("health", extra={"url": url})
    try:
        yield url
    finally:
        server.stop()
        server.join(timedelta(seconds=_STOP_S))
