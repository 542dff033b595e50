"""What a container's health check says of its process."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from infra.healthcheck import well
from tests.compositions import ROOT


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/livez" else 503)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_process_that_answers_200_is_well(address: str) -> None:
    assert well(address, "livez")


def test_a_process_that_answers_503_is_not(address: str) -> None:
    assert not well(address, "readyz")


def test_a_process_that_does_not_answer_is_not() -> None:
    assert not well("127.0.0.1:1", "livez")


@pytest.mark.parametrize(("check", "code"), [("livez", 0), ("readyz", 1)])
def test_the_exit_code_says_it(address: str, check: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "infra.healthcheck", check],
        cwd=ROOT,
        env={"PRATIQUE_HEALTH": address},
        check=False,
    )

    assert done.returncode == code
