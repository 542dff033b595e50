"""Probes of everything a platform stands on, each with the way to mend it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from infra.jail.probe import probe
from infra.notifications import routing_key
from infra.platform import Platform, utcnow
from infra.provision import ProvisionSettings, changes
from infra.provision.change import NotAdministrator
from infra.provision.servers import VERSIONED, server_of
from infra.settings import PlatformSettings, load
from schemas.errors import PratiqueError, SettingsError

_PROVISION = "run `pratique provision`"
_DEFECT = "keep such a file: the sanitizer has a defect; nothing of it was promoted"
_OR = f"{_PROVISION}, or check"
# What can be had without root, and what to do where it can't.
_WALLS = {
    "landlock": "no landlock: files stay in reach; it takes Linux 5.13, and `landlock`"
    " among the kernel's `lsm=`",
    "seccomp": "no seccomp: sockets stay in reach; it takes x86_64 or aarch64, and a"
    " container that lets filters be installed",
    "network_namespace": "no network namespace: seccomp alone keeps the network away;"
    " it takes unprivileged user namespaces",
}


class _Complaint(PratiqueError):
    """What was looked at is not as it should be."""

    code = "wrong"


class Finding(NamedTuple):
    """What one probe saw."""

    check: str
    ok: bool
    detail: str
    mend: str


def examine(settings: PlatformSettings, env_file: Path | None) -> list[Finding]:
    """Probe one thing after the other; a failure does not stop the next."""
    with Platform(settings, env_file=env_file) as platform:
        checks: dict[str, tuple[str, Callable[[], str]]] = {
            "store": (f"{_OR} PRATIQUE_STORE", lambda: _store(platform)),
            "buckets": (_PROVISION, lambda: _buckets(platform)),
            "notifications": (_PROVISION, lambda: _notifications(platform)),
            "signers": (f"{_OR} both signers", lambda: _signers(platform)),
            "broker": ("check PRATIQUE_BROKER", lambda: _broker(platform)),
            "queues": (_PROVISION, lambda: _queues(platform)),
            "database": (f"{_OR} PRATIQUE_DATABASE", lambda: _database(platform)),
            "tables": (_PROVISION, lambda: _tables(platform)),
            "users": (_PROVISION, lambda: _users(platform, env_file)),
            "drift": (_PROVISION, lambda: _drift(platform, env_file)),
            "verification": (_DEFECT, lambda: _verification(platform)),
            "sandbox": ("see the detail", lambda: _sandbox(platform)),
            "settings": ("see the detail", lambda: _settings(platform)),
        }
        return [_probe(check, mend, look) for check, (mend, look) in checks.items()]


def _probe(check: str, mend: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, ok=True, detail=look(), mend="")
    except PratiqueError as exc:
        return Finding(check, ok=False, detail=f"{exc.code}: {exc}", mend=mend)


def _store(platform: Platform) -> str:
    platform.store.ping()
    return "answers"


def _buckets(platform: Platform) -> str:
    names = platform.settings.buckets.model_dump()
    _none_of(
        f"{name} is missing, or wrong about versions"
        for role, name in names.items()
        if not platform.store.provisioned(name, versioned=role == VERSIONED)
    )
    return ", ".join(names.values())


def _notifications(platform: Platform) -> str:
    server = server_of(platform.settings.store)
    if server is None:
        return "published by whoever stores"
    _none_of(
        lack for f in platform.event_functions for lack in server.lacking(platform, f)
    )
    return "published by the store"


def _signers(platform: Platform) -> str:
    server = server_of(platform.settings.store)
    if server is None:
        return "the upload function signs for itself"
    _none_of(server.dangers(platform))
    return "they may do what they are for"


def _broker(platform: Platform) -> str:
    platform.broker.ping()
    return "answers"


def _queues(platform: Platform) -> str:
    _none_of(
        f"{f.name} is missing, incomplete or not bound"
        for f in platform.event_functions
        if not platform.broker.provisioned(f.name, routing_key(f.listens))
    )
    depths = platform.broker.depths()
    return ", ".join(f"{name} {depth.ready}" for name, depth in sorted(depths.items()))


def _database(platform: Platform) -> str:
    platform.records.ping()
    return "answers"


def _tables(platform: Platform) -> str:
    if not platform.records.provisioned():
        raise _Complaint("they are missing or of an older schema")
    counts = platform.records.counts()
    return f"{sum(counts.values())} assets"


def _verification(platform: Platform) -> str:
    alarms = platform.records.reasons().get("verification_failed", 0)
    if alarms:
        raise _Complaint(f"{alarms} results of the sanitizer did not pass it")
    return "passed by every result of the sanitizer"


def _users(platform: Platform, env_file: Path | None) -> str:
    secrets = load(ProvisionSettings, env_file)
    servers = (server_of(platform.settings.store), server_of(platform.settings.broker))
    _none_of(
        f"{user} is refused with its secret"
        for server in servers
        if server is not None
        for user in server.users_refused(platform, secrets)
    )
    known = len(secrets.store_secrets) + len(secrets.broker_secrets)
    return f"{known} let in" if known else "no secrets given to try"


def _drift(platform: Platform, env_file: Path | None) -> str:
    try:
        _none_of(map(str, changes(platform, load(ProvisionSettings, env_file))))
    except NotAdministrator as exc:
        return f"not looked for: {exc}"
    return "nothing drifted"


def _none_of(complaints: Iterable[str]) -> None:
    if found := list(complaints):
        raise _Complaint("; ".join(found))


def _sandbox(platform: Platform) -> str:
    found = platform.sandbox.run(probe)
    _none_of(f"its walls do not hold: {deed} is possible" for deed in found.broken)
    missing = [hint for wall, hint in _WALLS.items() if wall not in found.active]
    walls = f"cores run behind {', '.join(found.active)}"
    return "; ".join((walls, *missing))


def _settings(platform: Platform) -> str:
    for function in platform.functions.values():
        platform.context(function)
    if unknown := platform.unknown_variables():
        raise SettingsError(f"{', '.join(unknown)}: no such setting")
    now = utcnow().isoformat(timespec="seconds")
    return f"{len(platform.functions)} functions configured; clock says {now}"
