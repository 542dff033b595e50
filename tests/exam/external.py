"""Somebody else's judge: a command with the manners of `leakscan.py --batch LIST OUT`.

LIST has lines of original, tab, sanitized; OUT gets one JSON object for each.
"""

import json
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.exam.judge.core import Judgement
from tests.exam.judge.fidelity import Fidelity
from tests.exam.rows import Row

_PATIENCE_S = 3_600


def judge_all(
    command: str, rows: Sequence[Row], originals: dict[str, Path], folder: Path
) -> None:
    """Put the external judgement into every row of a clean picture."""
    pairs = [
        (f"{originals[row.file]}", row.out, row)
        for row in rows
        if row.verdict == "clean" and (row.media_type or "").startswith("image/")
    ]
    told: dict[str, dict[str, Any]] = {}
    while left := [pair for pair in pairs if str(pair[1]) not in told]:
        known = len(told)
        told |= _batch(command, [(a, str(b)) for a, b, _ in left], folder)
        if len(told) == known:  # it died of this one: go on behind it
            told[str(left[0][1])] = {}
    for _, out, row in pairs:
        answer = told[str(out)]
        if answer:
            row.official = _judgement(answer, row)
        else:
            row.unjudged = "the external judge died of it"


def _batch(
    command: str, pairs: list[tuple[str, str]], folder: Path
) -> dict[str, dict[str, Any]]:
    listed, answers = folder / "pairs.tsv", folder / "answers.jsonl"
    listed.write_text("".join(f"{a}\t{b}\n" for a, b in pairs))
    answers.write_text("")
    subprocess.run(
        [*shlex.split(command), "--batch", str(listed), str(answers)],
        check=False,  # what it has not answered is seen
        timeout=_PATIENCE_S,
        stdout=subprocess.DEVNULL,
    )
    lines = [line for line in answers.read_text().splitlines() if line.endswith("}")]
    return {answer["sanitized"]: answer for answer in map(json.loads, lines)}


def _judgement(answer: dict[str, Any], row: Row) -> Judgement:
    looked = answer["fidelity"]
    readable = "reference_error" not in looked
    fidelity = Fidelity(changed=looked["changed"], psnr_db=looked.get("psnr"))
    if looked.get("exact"):
        fidelity.psnr_db = 99.0
    survived = answer["survived"]
    return Judgement(
        format=row.judgement.format if row.judgement else answer["orig_format"],
        readable=readable,
        problem=str(looked.get("reference_error", "")),
        leaks=[(leak["cls"], leak["where"]) for leak in answer["leaks"]],
        survived=[*survived["values"], *survived["bytes"]],
        fidelity=fidelity if readable else None,
    )


def _why(*judgements: Judgement) -> list[str]:
    leaks = [f"{kind} {where}" for j in judgements for kind, where in j.leaks]
    return leaks + [text for j in judgements for text in j.survived]


def disagreements(rows: Sequence[Row]) -> list[str]:
    """Return where the two judges see different things."""
    found = []
    for row in rows:
        ours, theirs = row.judgement, row.official
        if ours is None or theirs is None:
            continue
        for name in ("readable", "leaky"):
            mine, other = getattr(ours, name), getattr(theirs, name)
            if mine != other:
                why = _why(ours, theirs) if name == "leaky" else ours.problem
                found.append(f"{row.file}: {name} {mine}, official {other}: {why}")
        mine, other = (j.fidelity.changed if j.fidelity else [] for j in (ours, theirs))
        if bool(mine) != bool(other):
            found.append(f"{row.file}: changed {mine}, official {other}")
    return found
