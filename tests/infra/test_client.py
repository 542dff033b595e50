"""The client against servers that are not Pratique's."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from uuid import uuid4

import pytest

from infra.client import Client
from schemas.errors import SettingsError, Unavailable


class Stranger(BaseHTTPRequestHandler):
    """Answers everything with a JSON list."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[1, 2]")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name)
        """Keep quiet."""


@pytest.fixture
def strange_url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_answer_that_is_not_pratiques_is_an_error_with_a_code(
    strange_url: str,
) -> None:
    with Client(strange_url) as client:
        answer = client.asset(str(uuid4()))

    assert answer == {"code": "http_200", "error": "[1, 2]"}


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="bad"):
        Client("http://[::bad")


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    client = Client("http://127.0.0.1:1")

    with client, pytest.raises(Unavailable, match="pratique run"):
        client.asset(str(uuid4()))
