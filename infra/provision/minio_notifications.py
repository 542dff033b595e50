"""What buckets announce, and to which of MinIO's targets."""

from collections.abc import Iterator
from functools import partial

from minio.notificationconfig import QueueConfig

from infra.notifications import EVENTS_ANNOUNCED, ROLES, Role, arn, environment
from infra.platform import Platform
from infra.provision.change import Change
from infra.provision.minio_admin import StoreAdmin
from schemas.errors import SettingsError

_BROKER_URL = "amqp://minio:PASSWORD@HOST:PORT/VHOST"


def announced(admin: StoreAdmin, platform: Platform, role: Role) -> bool:
    """Return whether the bucket of *role* announces what it should, where it should."""
    bucket = getattr(platform.settings.buckets, role)
    ours = [rule for rule in admin.notifications(bucket) if _is_ours(rule)]
    return len(ours) == 1 and _is_right(ours[0], role)


def changes(admin: StoreAdmin, platform: Platform) -> Iterator[Change]:
    """Return which buckets announce otherwise than they should.

    Raises:
        SettingsError: MinIO was started without the targets that publish.
    """
    _require_targets(admin)
    for role, bucket in platform.settings.buckets.model_dump().items():
        rules = admin.notifications(bucket)
        ours = [rule for rule in rules if _is_ours(rule)]
        wanted = [_rule(role)] if role in ROLES else []
        if len(ours) == len(wanted) and all(_is_right(rule, role) for rule in ours):
            continue
        others = [rule for rule in rules if not _is_ours(rule)]
        apply = partial(admin.notify, bucket, [*others, *wanted])
        what = f"notifications of bucket {bucket}"
        yield Change(what, _words(ours), _words(wanted), apply)


def _require_targets(admin: StoreAdmin) -> None:
    """Rules for a target that is not there are kept and skipped, without a word."""
    there = [_without_region(target) for target in admin.targets()]
    if missing := [arn(role) for role in ROLES if arn(role) not in there]:
        needed = " ".join(
            f"{name}={value}" for name, value in environment(_BROKER_URL).items()
        )
        raise SettingsError(
            f"MinIO was started without the target {' and '.join(missing)}, or could "
            f"not parse one of its targets, which switches all off; it wants: {needed}"
        )


def _rule(role: Role) -> QueueConfig:
    return QueueConfig(queue=arn(role), events=list(EVENTS_ANNOUNCED))


def _is_ours(rule: QueueConfig) -> bool:
    return _without_region(rule.queue or "") in [arn(role) for role in ROLES]


def _is_right(rule: QueueConfig, role: str) -> bool:
    filtered = rule.prefix_filter_rule or rule.suffix_filter_rule
    wanted = [arn(each) for each in ROLES if each == role]
    return (
        [_without_region(rule.queue or "")] == wanted
        and set(rule.events) == set(EVENTS_ANNOUNCED)
        and not filtered
    )


def _without_region(queue: str) -> str:
    """Return an ARN as infra.notifications writes it: MinIO fills its region in."""
    parts = queue.split(":")
    return ":".join([*parts[:3], "", *parts[4:]])


def _words(rules: list[QueueConfig]) -> str:
    return "; ".join(_rule_words(rule) for rule in rules) or "none"


def _rule_words(rule: QueueConfig) -> str:
    events = ", ".join(sorted(e.removeprefix("s3:ObjectCreated:") for e in rule.events))
    filters = (rule.prefix_filter_rule, rule.suffix_filter_rule)
    only = "".join(f" with {f.name} {f.value}" for f in filters if f)
    return f"{events}{only} to {_without_region(rule.queue or '')}"
