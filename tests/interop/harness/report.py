"""The figures of a run, as Markdown."""

from dataclasses import dataclass, field
from statistics import median


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
class Report:
    """Deliveries for the table, and single figures with what they measure."""

    deliveries: list[Delivery] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)

    def is_empty(self) -> bool:
        return not self.deliveries and not self.figures

    def time(self, what: str, seconds: float) -> None:
        """Keeps a duration."""
        self.figures.append((what, f"{seconds * 1000:,.0f} ms"))

    def figure(self, what: str, value: str) -> None:
        """Keeps any figure."""
        self.figures.append((what, value))

    def markdown(self) -> str:
        """All of it."""
        return "# Interop with official clients\n" + self._table() + self._list()

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
        return "\n".join(lines + [f"| {what} | {value} |" for what, value in self.figures]) + "\n"
