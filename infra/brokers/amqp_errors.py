"""What pika raises, in Pratique's words."""

from pika import exceptions as pika_errors
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from schemas.errors import QueueNotFound, SettingsError, Unavailable

# The whole family. gaierror, ssl.SSLError and timeouts of sockets are OSErrors; the
# connector's errors escape where the broker is silent before it has said hello.
PIKA = (pika_errors.AMQPError, AMQPConnectorException, OSError)

MENDS = "`pratique provision` declares it"
_WORDS: dict[type[BaseException], str] = {
    pika_errors.ProbableAuthenticationError: "RabbitMQ refuses the user or the password"
    " of PRATIQUE_BROKER",
    pika_errors.ProbableAccessDeniedError: "RabbitMQ has no such vhost, or its user may"
    " not enter it",
    pika_errors.ConnectionBlockedTimeout: "RabbitMQ takes nothing now: its memory or"
    " disk alarm is on",
    pika_errors.NackError: "RabbitMQ did not take the message: the queue is full or has"
    " no leader",
}
_NOT_FOUND, _REFUSED, _PRECONDITION = 404, 403, 406


def unavailable(cause: BaseException | None, what: str = "") -> Unavailable:
    """Return the error for *cause*, chained to it.

    A refused password or permission is no other matter: it may be mended while we
    wait, and nothing is lost by waiting.
    """
    error = Unavailable(": ".join(filter(None, (what, _words(cause)))))
    error.__cause__ = cause
    return error


def missing(queue: str) -> QueueNotFound:
    """Return the error for a queue that is not there."""
    return QueueNotFound(f"{queue}: no such queue; {MENDS}")


def is_missing(cause: BaseException) -> bool:
    """Whether the broker closed a channel because something is not there."""
    return _code(cause) == _NOT_FOUND


def mismatch(cause: BaseException, name: str) -> SettingsError | None:
    """Return the error if the broker has *name* with other arguments."""
    if _code(cause) != _PRECONDITION:
        return None
    said = getattr(cause, "reply_text", "")
    return SettingsError(
        f"{name}: RabbitMQ has it with other arguments than this release declares"
        f" ({said}); let its messages be consumed, delete it, and run"
        " `pratique provision` again"
    )


def _code(cause: BaseException) -> int | None:
    if isinstance(cause, pika_errors.ChannelClosedByBroker):
        return int(cause.reply_code)
    return None


def _words(cause: BaseException | None) -> str:
    for kind, words in _WORDS.items():
        if isinstance(cause, kind):
            return words
    if cause is not None and _code(cause) == _REFUSED:
        return (
            f"RabbitMQ's user lacks a permission ({getattr(cause, 'reply_text', '')})"
        )
    if isinstance(cause, pika_errors.ChannelClosedByBroker):
        return f"RabbitMQ closed the channel ({cause.reply_text})"
    return f"RabbitMQ not reachable ({cause!r:.300})" if cause else "RabbitMQ is away"
