"""Connecting to what is no RabbitMQ."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.brokers import open_broker
from schemas.errors import Unavailable
from schemas.ports import Message
from tests.contracts.brokers import now


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def url_of(server: socket.socket, query: str = "") -> str:
    return f"amqp://u:sesame@127.0.0.1:{server.getsockname()[1]}/v{query}"


def test_a_server_that_says_nothing_is_unavailable(silent: socket.socket) -> None:
    broker = open_broker(url_of(silent, "?stack_timeout=0.2"), clock=now)

    with pytest.raises(Unavailable):
        broker.ping()

    broker.close()


def test_a_server_that_speaks_another_protocol_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        broker = open_broker(url_of(server), clock=now)
        with ThreadPoolExecutor(1) as threads:
            asking = threads.submit(broker.ping)
            client, _ = server.accept()
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.close()

            with pytest.raises(Unavailable):
                asking.result(10)

    broker.close()


def test_failing_connections_are_not_hammered() -> None:
    accepted = []

    def refuse(server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            accepted.append(1)
            client.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=refuse, args=(server,), daemon=True).start()
        broker = open_broker(url_of(server), clock=now)
        for _ in range(1000):
            with pytest.raises(Unavailable):
                broker.publish("made", Message(b"1"))
        server.shutdown(socket.SHUT_RDWR)

    broker.close()
    assert len(accepted) < 20
