"""How the exam prints its figures."""

from collections.abc import Sequence
from typing import Any

from infra.commands.output import show_json, show_rows
from tests.exam.rows import Group, Row, groups

_COUNTS = ("files", "readable", "clean", "rejected", "held", "passed", "no_verdict")
_SHARES = ("clean_faithful_pct", "psnr_40_pct", "exact_pct")
_FAULTS = ("leaky_files", "changed_files", "canaries", "expectations_missed", "spent")
_WORST = ("slowest_s", "peak_mb")
_SHORT = {
    "clean_faithful_pct": "clean+faithful %",
    "psnr_40_pct": "and PSNR>=40 %",
    "exact_pct": "exact %",
    "leaky_files": "leaky",
    "changed_files": "changed",
    "expectations_missed": "missed",
    "no_verdict": "none",
    "slowest_s": "slowest s",
    "peak_mb": "peak MB",
}


def show(rows: Sequence[Row], extra: dict[str, Any], *, as_json: bool) -> None:
    """Print the figures, and every file with a fault."""
    summary = groups(list(rows))
    if as_json:
        for row in rows:
            show_json(row.model_dump(mode="json") | {"faults": row.faults()})
        show_json({"summary": [g.model_dump() for g in summary], **extra})
        return
    columns = ("format", *map(_named, (*_COUNTS, *_SHARES, *_FAULTS, *_WORST)))
    show_rows(map(_line, summary), columns, as_json=False)
    named = [{"file": r.file, "fault": "; ".join(f)} for r in rows if (f := r.faults())]
    if named:
        show_rows(named, ("file", "fault"), as_json=False)
    details = [_details(summary[-1])] if summary else []
    show_rows([*details, *_listed(extra)], ("what", "value"), as_json=False)


def _named(field: str) -> str:
    return _SHORT.get(field, field)


def _line(group: Group) -> dict[str, Any]:
    fields = group.model_dump()
    return {"format": group.name, **{_named(name): fields[name] for name in fields}}


def _details(group: Group) -> dict[str, Any]:
    found = [
        f"leaks: {group.leaks}",
        f"look changed: {group.changed}",
        f"slowest: {group.slowest}",
    ]
    return {"what": "of all", "value": "; ".join(found)}


def _listed(extra: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"what": name, "value": value}
        for name, values in extra.items()
        for value in (values if isinstance(values, list) else [values])
    ]
