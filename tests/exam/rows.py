"""What the exam knows of one file, and of all of them."""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel

from tests.exam.judge.core import Judgement
from tests.exam.judge.scan import IMAGES, SOUNDS

SLOW_S = 10.0
LARGE_MB = 1024.0
_FAITHFUL_DB = 40.0
# Verdicts that limits inside the sandbox lead to.
SPENT = frozenset(("memory_limit", "cpu_limit", "output_too_large"))


class Expected(BaseModel):
    """How a hostile file may end.

    Attributes:
        verdicts: those that are allowed.
        markers: what a clean copy must not hold.
    """

    family: str
    verdicts: list[str]
    markers: list[str] = []


class Row(BaseModel):
    """One file.

    Attributes:
        verdict: None where none was reached; `reason` says why.
        peak_mb: resident memory of the jailed process at its highest.
        official: the same judgement by somebody else's judge.
    """

    file: str
    verdict: str | None = None
    reason: str | None = None
    media_type: str | None = None
    findings: list[str] = []
    out: str | None = None
    seconds: float = 0.0
    peak_mb: float | None = None
    judgement: Judgement | None = None
    unjudged: str = ""
    official: Judgement | None = None
    expected: Expected | None = None

    @property
    def judged(self) -> Judgement:
        """The judgement that counts."""
        unknown = Judgement(format=(self.media_type or "unknown").partition("/")[2])
        return self.official or self.judgement or unknown

    @property
    def failed(self) -> bool:
        """Whether the core came to no verdict."""
        return self.verdict is None

    @property
    def faithful(self) -> bool:
        """Whether it came out clean, without a leak, and looks as before."""
        return self.verdict == "clean" and self.judged.faithful and not self.leaky

    @property
    def leaky(self) -> bool:
        """Whether what came out says more than it should."""
        return self.verdict == "clean" and self.judged.leaky

    @property
    def canaries(self) -> list[str]:
        """Markers that came through; our own judge looks for them."""
        own = self.judgement.survived if self.judgement else []
        return [each for each in own if each.startswith("canary")]

    @property
    def missed(self) -> bool:
        """Whether a hostile file ended as it must not."""
        if self.expected is None:
            return False
        return self.verdict not in self.expected.verdicts or bool(self.canaries)

    def faults(self) -> list[str]:
        """Return what is wrong with how this file was treated."""
        found = []
        if self.failed:
            found.append(f"no verdict: {self.reason}")
        if self.missed:
            found.append(f"expected {'/'.join(self.expected.verdicts)}")  # type: ignore[union-attr] # missed says so
        if self.seconds > SLOW_S:
            found.append(f"{self.seconds:.1f} s")
        if (self.peak_mb or 0) > LARGE_MB:
            found.append(f"{self.peak_mb:.0f} MB")
        if self.judged.readable and self.expected is None:
            found += self._unclean()
        if self.leaky:
            kinds = Counter(kind for kind, _ in self.judged.leaks)
            found += [f"leak {kind}" for kind in kinds] + self.judged.survived[:3]
        if self.verdict == "clean" and self.judged.fidelity is not None:
            found += [f"{each} changed" for each in self.judged.fidelity.changed]
        return found + ([f"not judged: {self.unjudged}"] if self.unjudged else [])

    def _unclean(self) -> list[str]:
        return [] if self.verdict == "clean" else [f"{self.verdict}: {self.reason}"]


class Group(BaseModel):
    """What the files of one format come to; percentages are of readable originals."""

    name: str
    files: int
    readable: int
    clean: int
    rejected: int
    held: int
    passed: int
    no_verdict: int
    clean_faithful_pct: float | None
    psnr_40_pct: float | None
    exact_pct: float | None
    leaks: dict[str, int]
    leaky_files: int
    changed: dict[str, int]
    changed_files: int
    canaries: int
    expectations_missed: int
    spent: int
    slowest: str
    slowest_s: float
    peak_mb: float


def group(name: str, rows: list[Row]) -> Group:
    """Add up *rows*."""
    readable = [row for row in rows if row.judged.readable and not row.expected]
    faithful = [row for row in readable if row.faithful]
    leaky, changed = [r for r in rows if r.leaky], [r for r in rows if _changes(r)]
    slowest = max(rows, key=lambda row: row.seconds)
    verdicts = Counter(row.verdict for row in rows)
    return Group(
        name=name,
        files=len(rows),
        readable=len(readable),
        clean=verdicts["clean"],
        rejected=verdicts["rejected"],
        held=verdicts["held"],
        passed=verdicts["passed"],
        no_verdict=verdicts[None],
        clean_faithful_pct=_percent(len(faithful), len(readable)),
        psnr_40_pct=_percent(sum(map(_close, faithful)), len(readable)),
        exact_pct=_percent(sum(map(_exact, faithful)), sum(map(_seen, readable))),
        leaks=_counted(set(_kinds(row)) for row in leaky),
        leaky_files=len(leaky),
        changed=_counted(_changes(row) for row in changed),
        changed_files=len(changed),
        canaries=sum(len(row.canaries) for row in rows),
        expectations_missed=sum(row.missed for row in rows),
        spent=sum(row.reason in SPENT for row in rows),
        slowest=slowest.file,
        slowest_s=slowest.seconds,
        peak_mb=max(row.peak_mb or 0.0 for row in rows),
    )


def groups(rows: list[Row]) -> list[Group]:
    """Return each format's group, then those of images, of sounds and of all."""
    names = sorted({row.judged.format for row in rows})
    parts = {n: [r for r in rows if r.judged.format == n] for n in names}
    parts["images"] = [row for row in rows if row.judged.format in IMAGES]
    parts["sounds"] = [row for row in rows if row.judged.format in SOUNDS]
    return [group(name, part) for name, part in (parts | {"all": rows}).items() if part]


def _kinds(row: Row) -> list[str]:
    return [kind for kind, _ in row.judged.leaks] + ["survived"] * bool(
        row.judged.survived
    )


def _changes(row: Row) -> list[str]:
    fidelity = row.judged.fidelity if row.verdict == "clean" else None
    return fidelity.changed if fidelity else []


def _close(row: Row) -> bool:
    """Sound is kept bit by bit: it has no PSNR."""
    fidelity = row.judged.fidelity
    return fidelity is not None and (fidelity.psnr_db or 99.0) >= _FAITHFUL_DB


def _seen(row: Row) -> bool:
    """Whether there are pixels to compare."""
    return row.judged.format in IMAGES


def _exact(row: Row) -> bool:
    return row.judged.fidelity is not None and row.judged.fidelity.exact


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None


def _counted(each: Iterable[Iterable[str]]) -> dict[str, int]:
    return dict(Counter(name for names in each for name in names).most_common())
