"""RabbitMQ's management API: what AMQP itself can't tell or set.

Paths and documents: https://www.rabbitmq.com/docs/http-api-reference
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx

from schemas.errors import SettingsError, Unavailable

_TIMEOUT_S = 5.0
_SETTING = "PRATIQUE_BROKER_MANAGEMENT"


def path(*parts: str) -> str:
    """Return `/api/…` with each part quoted: a vhost may be called `/`."""
    return "/".join(("/api", *(quote(part, safe="") for part in parts)))


class Management:
    """A client of the management API; safe for threads.

    Args:
        url: http(s)://USER:PASSWORD@HOST:PORT; it is never printed.

    Raises:
        SettingsError: the URL is malformed; from calls: its user was refused, or
            the API did not like what it was given.
        Unavailable: from calls: the API could not be reached, or failed.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            where = (parts.hostname or "", parts.port)
        except ValueError:
            raise SettingsError(f"{_SETTING}: the URL is malformed") from None
        if parts.scheme not in ("http", "https") or not where[0]:
            raise SettingsError(f"{_SETTING}: write http://USER:PASSWORD@HOST:PORT")
        # Apart from the URL: httpx logs URLs, and would log the password with them.
        self._http = httpx.Client(
            base_url=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            f"{parts.path.rstrip('/')}",
            auth=(unquote(parts.username or ""), unquote(parts.password or "")),
            timeout=_TIMEOUT_S,
            # What proxies the environment names are not for our own servers.
            trust_env=False,
        )

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Return a JSON document; None if there is nothing under *path*."""
        answer = self._ask("GET", path, params=params)
        return None if answer.status_code == httpx.codes.NOT_FOUND else _json(answer)

    def put(self, path: str, json: object) -> None:
        """Create or replace what is under *path*."""
        self._ask("PUT", path, json=json)

    def post(self, path: str, json: object) -> Any:
        """Ask for something to be done; return the JSON document that answers."""
        return _json(self._ask("POST", path, json=json))

    def delete(self, path: str) -> None:
        """Remove what is under *path*, if there is something."""
        self._ask("DELETE", path)

    def queues(self, vhost: str) -> list[dict[str, Any]]:
        """Return every queue; figures in it lag by the server's statistics interval."""
        found = self.get(path("queues", vhost))
        if found is None:
            raise SettingsError(f"{_SETTING}: RabbitMQ has no vhost {vhost!r}")
        return list(found)

    def bindings(self, vhost: str, exchange: str, queue: str) -> list[str]:
        """Return the routing keys that bind *queue* to *exchange*."""
        found = self.get(path("bindings", vhost, "e", exchange, "q", queue))
        return [str(binding["routing_key"]) for binding in found or []]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        with _translated():
            answer = self._http.request(method, path, **more)
        code = answer.status_code
        if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise SettingsError(
                f"{_SETTING}: RabbitMQ refuses the user or password, or the user lacks "
                f"a tag such as `monitoring` or `administrator` ({method} {path})"
            )
        if answer.is_server_error:
            raise Unavailable(f"RabbitMQ's management API failed: {code} for {path}")
        missing = code == httpx.codes.NOT_FOUND and method in ("GET", "DELETE")
        if not answer.is_success and not missing:
            raise SettingsError(
                f"RabbitMQ refuses {method} {path}: {code} {_reason(answer)}"
            )
        return answer


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as exc:
        raise SettingsError(f"{_SETTING}: no management API answers there") from exc


def _reason(answer: httpx.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        return ""
    return str(document.get("reason", "")) if isinstance(document, dict) else ""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpx.InvalidURL as exc:
        raise SettingsError(f"{_SETTING}: the URL is malformed") from exc
    except (httpx.HTTPError, RuntimeError) as exc:  # RuntimeError: closed client
        raise Unavailable(f"RabbitMQ's management API not reachable: {exc}") from exc
