"""The URL of a RabbitMQ, and the timeouts of its connections."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pika

from schemas.errors import SettingsError

# pika waits for ever by default. Any of these may be given in the URL's query.
_DEFAULTS = {
    "heartbeat": "20",
    "socket_timeout": "5",
    "stack_timeout": "5",  # TCP, TLS and AMQP together
    "blocked_connection_timeout": "10",
    # A peer that vanished without a word is noticed while data wait to be sent.
    "tcp_options": "{'TCP_USER_TIMEOUT': 10000}",  # ms
    "connection_attempts": "1",
}


def parameters(url: str, purpose: str) -> pika.URLParameters:
    """Return how to connect to *url*, `amqp(s)://USER:PASSWORD@HOST:PORT/VHOST`.

    Args:
        purpose: what RabbitMQ's management shows as the connection's name.

    Raises:
        SettingsError: the URL is malformed; it is not repeated.
    """
    try:
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError("no host")
        query = {**_DEFAULTS, **dict(parse_qsl(parts.query, strict_parsing=False))}
        found = pika.URLParameters(parts._replace(query=urlencode(query)).geturl())
    except (ValueError, TypeError, SyntaxError, OSError):
        # Not chained: pika quotes what it could not read, and that may be a password.
        raise SettingsError(
            "broker URL: write amqp://USER:PASSWORD@HOST:PORT/VHOST, special characters"
            " percent-encoded; a query may hold heartbeat and timeouts in seconds"
        ) from None
    found.client_properties = {"connection_name": f"pratique {purpose}"}
    return found
