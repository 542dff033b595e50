"""MinIO's users: let in with their secrets, each with one policy of its own."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from infra.platform import Platform
from infra.provision.change import Change
from infra.provision.minio_admin import StoreAdmin, User
from infra.provision.settings import ProvisionSettings
from infra.provision.store_rights import policy, store_users


def changes(
    admin: StoreAdmin, platform: Platform, settings: ProvisionSettings
) -> Iterator[Change]:
    """Return which users, with a secret among *settings*, are not as they should."""
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
