"""Headers that the brokers themselves write, the same for every adapter."""

from collections.abc import Mapping
from datetime import UTC, datetime

CAUSE = "x-cause"  # why the last retry was asked for
REASON = "x-reason"
ATTEMPT = "x-attempt"
FAILED_AT = "x-failed-at"
_OURS = frozenset((CAUSE, REASON, ATTEMPT, FAILED_AT))


def fresh(headers: Mapping[str, str]) -> dict[str, str]:
    """Return *headers* as of a message that was never handed out.

    Every publish and send goes through here: a dead letter that is sent back must
    not look like one, and starts again with its first attempt.
    """
    return {name: value for name, value in headers.items() if name not in _OURS}


def retried(headers: Mapping[str, str], cause: str) -> dict[str, str]:
    """Return the headers of a message that waits for its next attempt."""
    return {**headers, CAUSE: cause}


def dead(
    headers: Mapping[str, str], reason: str, attempt: int, at: datetime
) -> dict[str, str]:
    """Return the headers of a dead letter; *attempt* was its last one."""
    failed_at = at.astimezone(UTC).isoformat()
    return {**headers, REASON: reason, ATTEMPT: str(attempt), FAILED_AT: failed_at}


def dead_queue(queue: str) -> str:
    """Return where *queue*'s dead letters go; those of a dead queue stay there."""
    return queue if queue.endswith(".dead") else f"{queue}.dead"
