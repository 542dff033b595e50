"""The host of HTTP functions: uvicorn in a thread, the store's own door beside."""

import socket
from datetime import timedelta
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from infra.platform import Platform
from schemas.functions import HttpFunction
from schemas.ports import ASGIApp


def application(platform: Platform, function: HttpFunction[Any]) -> ASGIApp:
    """Return the function's app, with the store's door under /objects if it has one."""
    app = function.app(platform.context(function))
    door = platform.store.door()
    routes = [Mount("/objects", app=door)] if door is not None else []
    return Starlette(routes=[*routes, Mount("/", app=app)])


class Server:
    """Serves one app on one listening socket until it is stopped."""

    def __init__(self, app: ASGIApp, listening: socket.socket, stop_s: float) -> None:
        self._socket = listening
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=int(stop_s),
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to finish the requests at hand and to take no more."""
        self._server.should_exit = True

    def join(self, timeout: timedelta) -> bool:
        """Wait for the thread; return whether it ended in time."""
        self._thread.join(timeout.total_seconds())
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(1)
        self._socket.close()
        return not self._thread.is_alive()

    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    def trouble(self) -> str | None:
        """Nothing but what /readyz of the app itself tells."""
        return None

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])
