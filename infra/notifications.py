"""How MinIO is told to publish: its targets, and the environment that makes them.

Notifications run async, without `queue_dir` (README, "Decisions"): what an outage of
the broker loses the janitor finds. Booleans are `on`; MinIO takes any other word, also
`true`, for off without saying so, and the variable for confirms is PUBLISHING_CONFIRMS.
A target that MinIO can't parse switches all of them off.
"""

from pathlib import Path
from typing import Literal

from infra.brokers.topology import EVENTS

Role = Literal["quarantine", "clean"]
ROLES: tuple[Role, ...] = ("quarantine", "clean")
# By name: `s3:ObjectCreated:*` would also announce tags, retention and legal holds.
EVENTS_ANNOUNCED = (
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectCreated:Copy",
)


def routing_key(role: Role) -> str:
    """Return the key with which a bucket's notifications are published."""
    return f"object.created.{role}"


def target(role: Role) -> str:
    """Return the ID of the MinIO target that publishes a bucket's notifications."""
    return role.upper()


def arn(role: Role) -> str:
    """Return what a bucket's notification configuration calls its target."""
    return f"arn:minio:sqs::{target(role)}:amqp"


def environment(amqp_url: str, queue_dir: Path | None = None) -> dict[str, str]:
    """Return MinIO's environment variables for the targets of both buckets.

    Args:
        queue_dir: an absolute path where MinIO keeps what the broker did not take;
            every event is some 3 s late then.
    """
    settings = {
        "ENABLE": "on",
        "URL": amqp_url,
        "EXCHANGE": EVENTS,
        "EXCHANGE_TYPE": "topic",
        "DURABLE": "on",
        "DELIVERY_MODE": "2",
        "PUBLISHING_CONFIRMS": "on",
    }
    if queue_dir is not None:
        settings["QUEUE_DIR"] = str(queue_dir)
    return {
        f"MINIO_NOTIFY_AMQP_{name}_{target(role)}": value
        for role in ROLES
        for name, value in {**settings, "ROUTING_KEY": routing_key(role)}.items()
    }
