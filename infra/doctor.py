"""Probes of everything a platform stands on, each with the way to mend it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from infra.jail.probe import probe
from infra.platform import Platform, utcnow
from infra.settings import PlatformSettings
from schemas.errors import PratiqueError, SettingsError

_PROVISION = "run `pratique provision`"
_OR = f"{_PROVISION}, or check"


class Finding(NamedTuple):
    """What one probe saw."""

    check: str
    ok: bool
    detail: str
    mend: str


def examine(settings: PlatformSettings, env_file: Path | None) -> list[Finding]:
    """Probe one thing after the other; a failure does not stop the next."""
    with Platform(settings, env_file=env_file) as platform:
        return [
            _probe("store", f"{_OR} PRATIQUE_STORE", lambda: _store(platform)),
            _probe("buckets", _PROVISION, lambda: _buckets(platform)),
            _probe("broker", "check PRATIQUE_BROKER", lambda: _broker(platform)),
            _probe("queues", _PROVISION, lambda: _queues(platform)),
            _probe("database", f"{_OR} PRATIQUE_DATABASE", lambda: _database(platform)),
            _probe("tables", _PROVISION, lambda: _tables(platform)),
            _probe("sandbox", "see the detail", lambda: _sandbox(platform)),
            _probe("settings", "see the detail", lambda: _settings(platform)),
        ]


def _probe(check: str, mend: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, ok=True, detail=look(), mend="")
    except PratiqueError as exc:
        return Finding(check, ok=False, detail=f"{exc.code}: {exc}", mend=mend)


def _store(platform: Platform) -> str:
    platform.store.ping()
    return "answers"


def _buckets(platform: Platform) -> str:
    buckets = platform.settings.buckets
    names = list(buckets.model_dump().values())
    for name in names:
        next(platform.store.list(name), None)
    return ", ".join(names)


def _broker(platform: Platform) -> str:
    platform.broker.ping()
    return "answers"


def _queues(platform: Platform) -> str:
    depths = platform.broker.depths()
    for function in platform.event_functions:
        platform.broker.subscribe(function.name, prefetch=1).close()
    return ", ".join(f"{name} {depth.ready}" for name, depth in sorted(depths.items()))


def _database(platform: Platform) -> str:
    platform.records.ping()
    return "answers"


def _tables(platform: Platform) -> str:
    counts = platform.records.counts()
    return f"{sum(counts.values())} assets"


def _sandbox(platform: Platform) -> str:
    found = platform.sandbox.run(probe)
    network = "with" if found.network else "without"
    return f"cores run in processes of their own, {network} network"


def _settings(platform: Platform) -> str:
    for function in platform.functions.values():
        platform.context(function)
    if unknown := platform.unknown_variables():
        raise SettingsError(f"{', '.join(unknown)}: no such setting")
    now = utcnow().isoformat(timespec="seconds")
    return f"{len(platform.functions)} functions configured; clock says {now}"
