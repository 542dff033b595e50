"""A TCP proxy that can reset, stall and refuse: how networks fail."""

import contextlib
import select
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit


class Proxy(socketserver.ThreadingTCPServer):
    """Forwards a loopback port of its own to one address."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.address = address
        self.flowing = threading.Event()
        self.flowing.set()
        self.accepted = 0  # connections so far
        self._open: set[socket.socket] = set()
        self._clients: set[socket.socket] = set()
        self._guard = threading.Lock()

    def url(self, url: str) -> str:
        """Return *url* as it leads through here."""
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        netloc = f"{user}@127.0.0.1:{self.server_address[1]}"
        return parts._replace(netloc=netloc).geturl()

    def reset(self) -> None:
        """Reset every connection; new ones are taken."""
        with self._guard:
            for connection in self._open:
                # No linger: closing sends RST.
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self.shutdown()
        self.server_close()
        self.reset()

    def stall(self) -> None:
        """Forward nothing any more, and say nothing about it."""
        self.flowing.clear()

    def say(self, data: bytes) -> None:
        """Tell the clients what their server did not say."""
        with self._guard:
            for client in self._clients:
                client.sendall(data)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count it, and forward it in a thread."""
        self.accepted += 1
        super().process_request(request, client_address)

    @contextlib.contextmanager
    def tracked(self, client: socket.socket, server: socket.socket) -> Iterator[None]:
        """Know the sockets while they are open."""
        connections = (client, server)
        with self._guard:
            self._clients.add(client)
            self._open.update(connections)
        try:
            yield
        finally:
            with self._guard:
                self._clients.discard(client)
                self._open.difference_update(connections)


class _Forward(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        proxy = cast(Proxy, self.server)
        here: socket.socket = self.request
        with (
            contextlib.suppress(OSError),
            socket.create_connection(proxy.address) as there,
            proxy.tracked(here, there),
        ):
            for each in (here, there):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _pump({here: there, there: here}, proxy.flowing)


def _pump(other: dict[socket.socket, socket.socket], flowing: threading.Event) -> None:
    while True:
        ready, _, _ = select.select(list(other), [], [])
        flowing.wait()
        for each in ready:
            data = each.recv(65536)
            if not data:
                return
            other[each].sendall(data)


@contextlib.contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """Run a proxy in front of the server that *url* names."""
    parts = urlsplit(url)
    with Proxy((str(parts.hostname), parts.port or 5672)) as running:
        thread = threading.Thread(
            target=running.serve_forever, args=(0.05,), daemon=True
        )
        thread.start()
        try:
            yield running
        finally:
            running.flowing.set()
            running.cut()
