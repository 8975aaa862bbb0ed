"""The figures of a run, as Markdown."""

import json
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Delivery:
    """What became of the frames of one size between two clients."""

    pair: str
    mode: str
    size: int
    delivered: int
    pushed: int
    latencies_ms: tuple[float, ...]

    def cell(self) -> str:
        latency = f" {median(self.latencies_ms):.1f} ms" if self.latencies_ms else ""
        return f"{self.delivered}/{self.pushed}{latency}"


@dataclass
class Cases:
    """What became of each case in each row, such as a pair of clients."""

    title: str
    outcomes: dict[str, dict[str, str]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    """Why a case is known to fail; a cell has the place of its reason."""

    def passed(self, row: str, case: str) -> None:
        self._keep(row, case, "ok")

    def failed(self, row: str, case: str) -> None:
        self._keep(row, case, "FAILED")

    def known(self, row: str, case: str, reason: str) -> None:
        """It failed as it is known to, for a reason in the clients."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        self._keep(row, case, f"known ({self.reasons.index(reason) + 1})")

    def _keep(self, row: str, case: str, outcome: str) -> None:
        kept = self.outcomes.setdefault(row, {})
        if kept.get(case) != "FAILED":
            kept[case] = outcome

    def merge(self, other: "Cases") -> None:
        """Adds what another process has seen; a reason may have another place there."""
        for row, cases in other.outcomes.items():
            for case, outcome in cases.items():
                if outcome.startswith("known"):
                    place = int(outcome.removeprefix("known (").removesuffix(")"))
                    self.known(row, case, other.reasons[place - 1])
                else:
                    self._keep(row, case, outcome)

    def markdown(self) -> str:
        """A column for each case, and the reasons of those that are known to fail."""
        cases = list(dict.fromkeys(case for row in self.outcomes.values() for case in row))
        lines = [f"\n## {self.title}\n", "| | " + " | ".join(cases) + " |", "|---|" + "---|" * len(cases)]
        for name, row in sorted(self.outcomes.items()):
            lines.append(f"| {name} | " + " | ".join(row.get(case, "–") for case in cases) + " |")
        reasons = [f"{place}. {reason}" for place, reason in enumerate(self.reasons, start=1)]
        return "\n".join([*lines, "", *reasons]).rstrip() + "\n"


@dataclass
class Report:
    """Deliveries and cases for the tables, and single figures with what they measure."""

    deliveries: list[Delivery] = field(default_factory=list)
    tables: dict[str, Cases] = field(default_factory=dict)
    figures: list[tuple[str, str]] = field(default_factory=list)

    def is_empty(self) -> bool:
        return not (self.deliveries or self.tables or self.figures)

    def cases(self, title: str) -> Cases:
        """The table with that title."""
        return self.tables.setdefault(title, Cases(title))

    def time(self, what: str, seconds: float) -> None:
        """Keeps a duration."""
        digits = 1 if seconds < 0.01 else 0
        self.figures.append((what, f"{seconds * 1000:,.{digits}f} ms"))

    def figure(self, what: str, value: str) -> None:
        """Keeps any figure."""
        self.figures.append((what, value))

    def packed(self) -> str:
        """All of it as text, for another process."""
        return json.dumps(asdict(self))

    def merge(self, packed: str) -> None:
        """Adds what another process has kept."""
        other: dict[str, Any] = json.loads(packed)
        for each in other["deliveries"]:
            self.deliveries.append(Delivery(**each | {"latencies_ms": tuple(each["latencies_ms"])}))
        for title, table in other["tables"].items():
            self.cases(title).merge(Cases(**table))
        self.figures.extend((what, value) for what, value in other["figures"])

    def markdown(self) -> str:
        """All of it."""
        tables = "".join(each.markdown() for each in self.tables.values())
        return "# Interop with official clients\n" + self._table() + tables + self._list()

    def _table(self) -> str:
        if not self.deliveries:
            return ""
        sizes = sorted({each.size for each in self.deliveries})
        rows = sorted({(each.pair, each.mode) for each in self.deliveries})
        cells = {(each.pair, each.mode, each.size): each.cell() for each in self.deliveries}
        lines = [
            "\nFrames delivered of frames pushed, and the median time to their arrival; by size in bytes.\n",
            "| clients | peer connections | " + " | ".join(f"{size:,}" for size in sizes) + " |",
            "|---|---|" + "---|" * len(sizes),
        ]
        for pair, mode in rows:
            line = [cells.get((pair, mode, size), "–") for size in sizes]
            lines.append(f"| {pair} | {mode} | " + " | ".join(line) + " |")
        return "\n".join(lines) + "\n"

    def _list(self) -> str:
        if not self.figures:
            return ""
        lines = ["", "| measured | figure |", "|---|---|"]
        return "\n".join(lines + [f"| {what} | {value} |" for what, value in sorted(self.figures)]) + "\n"
