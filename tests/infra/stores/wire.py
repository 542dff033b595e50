"""Servers that misbehave, on loopback."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

_ENDING_S = 5


@contextmanager
def scripted(*answers: bytes) -> Iterator[str]:
    """Give the address of a server with one of *answers* a connection, then silence.

    After each the connection is closed.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_answer, args=(listener, answers))
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        # So that it ends also if fewer came than were expected.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@contextmanager
def stalled(begun: bytes) -> Iterator[str]:
    """Give the address of a server that sends *begun* to one client, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted: list[socket.socket] = []
        thread = Thread(target=_begin, args=(listener, begun, accepted))
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join()
        for connection in accepted:
            connection.close()


def _begin(
    listener: socket.socket, begun: bytes, accepted: list[socket.socket]
) -> None:
    accepted.append(listener.accept()[0])
    accepted[0].sendall(begun)


def _answer(listener: socket.socket, answers: tuple[bytes, ...]) -> None:
    for answer in answers:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            _read_request(connection)
            connection.sendall(answer)


def _read_request(connection: socket.socket) -> None:
    """Read all of it: a connection closed before that would be reset."""
    request = b""
    while b"\r\n\r\n" not in request and (chunk := connection.recv(65_536)):
        request += chunk
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    left = int(length[1]) - len(body) if length else 0
    while left > 0 and (chunk := connection.recv(65_536)):
        left -= len(chunk)


class Proxy:
    """Passes everything on to a server, and counts.

    Attributes:
        accepted: connections so far; requests: requests so far.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepted = 0
        self.requests = 0
        self._limit: int | None = None
        self._threads: list[Thread] = []
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "Proxy":
        self._start(self._accept)
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def cut_after(self, count: int) -> None:
        """Close each connection once the server has sent *count* bytes on it."""
        self._limit = count

    def open_connections(self) -> int:
        """Return how many connections nobody has ended, or is just ending."""
        deadline = time.monotonic() + _ENDING_S
        for thread in self._threads[1:]:
            thread.join(max(0, deadline - time.monotonic()))
        return sum(thread.is_alive() for thread in self._threads[1::2])

    def _start(self, target: Callable[..., None], *args: object) -> None:
        self._threads.append(Thread(target=target, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(self._target)
                self.accepted += 1
                self._sockets += [client, server]
                self._start(self._to_server, client, server)
                self._start(self._to_client, server, client)

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while chunk := client.recv(65_536):
                self.requests += len(re.findall(rb" HTTP/1\.1\r\n", chunk))
                server.sendall(chunk)
            server.shutdown(socket.SHUT_RDWR)

    def _to_client(self, server: socket.socket, client: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while chunk := server.recv(65_536):
                passed += len(chunk)
                if self._limit is not None and passed > self._limit:
                    break
                client.sendall(chunk)
            client.shutdown(socket.SHUT_RDWR)


def answer(status: str, body: bytes = b"", *headers: str, length: int = -1) -> bytes:
    """Return an HTTP answer; *length* is what it claims if not the body's."""
    claimed = len(body) if length < 0 else length
    fixed = [f"HTTP/1.1 {status}", f"Content-Length: {claimed}", "Connection: close"]
    return "\r\n".join([*fixed, *headers, "", ""]).encode() + body


def error(status: str, code: str) -> bytes:
    """Return how S3 answers with an error."""
    body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
    return answer(status, body, "Content-Type: application/xml")
