"""What a run has to reach, for whoever builds on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.exam.rows import LARGE_MB, SLOW_S, Row, group


@dataclass(frozen=True)
class Limits:
    """Shares in per cent of readable originals; *strict* is about every file."""

    at_least: float | None = None
    psnr_at_least: float | None = None
    changed_at_most: float | None = None
    strict: bool = False

    def missed(self, rows: Sequence[Row]) -> list[str]:
        """Return the limits that these rows miss."""
        if not rows:
            return ["there was nothing to examine"]
        total = group("all", list(rows))
        changed = 100 * total.changed_files / max(total.readable, 1)
        shares = (
            ("clean and faithful", total.clean_faithful_pct, self.at_least),
            ("with 40 dB", total.psnr_40_pct, self.psnr_at_least),
            ("look unchanged", 100 - changed, _rest(self.changed_at_most)),
        )
        found = [
            f"{what}: {share:.2f} % instead of {wanted:g} %"
            for what, share, wanted in shares
            if wanted is not None and share is not None and share < wanted
        ]
        return found + (_strictly(rows) if self.strict else [])


def _rest(share: float | None) -> float | None:
    return None if share is None else 100 - share


def _strictly(rows: Sequence[Row]) -> list[str]:
    counts = {
        "leaky": sum(row.leaky for row in rows),
        "canaries": sum(bool(row.canaries) for row in rows),
        "expectations missed": sum(row.missed for row in rows),
        "without a verdict": sum(row.failed for row in rows),
        "not judged": sum(bool(row.unjudged) for row in rows),
        f"slower than {SLOW_S:g} s": sum(row.seconds > SLOW_S for row in rows),
        f"over {LARGE_MB:g} MB": sum((row.peak_mb or 0) > LARGE_MB for row in rows),
    }
    return [f"{what}: {count} files" for what, count in counts.items() if count]
