"""What only a MinIO has: notifications, and users with their rights."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from minio.notificationconfig import QueueConfig

from infra.notifications import EVENTS_ANNOUNCED, ROLES, Role, arn, environment
from infra.platform import Platform
from infra.provision.change import Change
from infra.provision.minio_admin import StoreAdmin, User
from infra.provision.settings import ProvisionSettings
from infra.provision.store_rights import policy, store_users
from schemas.errors import SettingsError

_BROKER_URL = "amqp://minio:PASSWORD@HOST:PORT/VHOST"


def changes(platform: Platform, settings: ProvisionSettings) -> Iterator[Change]:
    """Return what has to be changed, looked at when it is asked for.

    Raises:
        SettingsError: MinIO was started without the targets that publish.
    """
    with closing(StoreAdmin(platform.settings.store.get_secret_value())) as admin:
        yield from _notifications(admin, platform)
        yield from _users(admin, platform, settings)


def announced(admin: StoreAdmin, platform: Platform, role: Role) -> bool:
    """Return whether the bucket of *role* announces what it should, where it should."""
    bucket = getattr(platform.settings.buckets, role)
    ours = [rule for rule in admin.notifications(bucket) if _is_ours(rule)]
    return len(ours) == 1 and _is_right(ours[0], role)


def _notifications(admin: StoreAdmin, platform: Platform) -> Iterator[Change]:
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


def _users(
    admin: StoreAdmin, platform: Platform, settings: ProvisionSettings
) -> Iterator[Change]:
    if not settings.store_secrets:
        return
    known = store_users(platform.functions)
    policies, users = admin.policies(), admin.users()
    for short, secret in settings.store_secrets.items():
        name = settings.store_user(short)
        user = users.get(name)
        document = policy(known[short], platform.settings.buckets)
        if change := _policy(admin, name, policies.get(name), document):
            yield change
        if change := _user(admin, name, user, secret.get_secret_value()):
            yield change
        if change := _attachment(admin, name, user):
            yield change


def _policy(
    admin: StoreAdmin, name: str, there: Any, document: Mapping[str, Any]
) -> Change | None:
    if there is not None and _meaning(there) == _meaning(document):
        return None
    found = "missing" if there is None else "other rights"
    apply = partial(admin.set_policy, name, document)
    return Change(f"store policy {name}", found, "the least rights", apply)


def _user(
    admin: StoreAdmin, name: str, user: User | None, secret: str
) -> Change | None:
    if user is None:
        found = "missing"
    elif not user.enabled:
        found = "disabled"
    elif not admin.lets_in(name, secret):
        found = "another secret"
    else:
        return None
    apply = partial(admin.set_user, name, secret)
    return Change(f"store user {name}", found, "let in with its secret", apply)


def _attachment(admin: StoreAdmin, name: str, user: User | None) -> Change | None:
    attached = user.policies if user else frozenset()
    if attached == {name}:
        return None
    found = ", ".join(sorted(attached)) or "none"
    apply = partial(admin.attach, name, name)
    return Change(f"policies of store user {name}", found, name, apply)


def _meaning(document: Mapping[str, Any]) -> set[tuple[str, str, str, str]]:
    """Return each single thing a policy says: MinIO splits, merges and sorts them."""
    return {
        (
            statement["Effect"],
            action,
            resource,
            json.dumps(_conditions(statement.get("Condition") or {}), sort_keys=True),
        )
        for statement in _list(document.get("Statement"))
        for action in _list(statement.get("Action"))
        for resource in _list(statement.get("Resource"))
    }


def _conditions(conditions: Mapping[str, Any]) -> dict[str, Any]:
    return {
        operator: {key: sorted(_list(values)) for key, values in keys.items()}
        for operator, keys in conditions.items()
    }


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
