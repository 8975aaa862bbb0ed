"""Frames of every size between every two clients, in every peer-connection mode (protocol §5)."""

import contextlib
import itertools

import pytest

from conftest import Join
from harness.client import Client
from harness.events import Event
from harness.flow import WITH_OURS, flowing
from harness.keys import Keys
from harness.report import Delivery, Report

TRACK = "pose"
KINDS = ("py", "js")
EXACT = (1, 1_000)
"""Sizes of which every frame arrives."""
ALMOST = (16 * 1024, 75 * 1024)
"""Sizes of which at least 8 of 10 arrive."""
LARGE = (256 * 1024, 1 << 20)
"""Sizes whose losses are reported only, as official clients lose them on loopback, too."""
LARGEST = 2_000_000
TRIES = 10

MODES = ("single", "dual")
SAME = [(a, b, mode, mode) for a, b in itertools.product(KINDS, KINDS) for mode in MODES]
MIXED = [("py", "js", "single", "dual"), ("js", "py", "dual", "single")]
OURS = [(a, b, mode, mode) for a, b in WITH_OURS for mode in MODES]
PLAIN = [(*case, False) for case in SAME + MIXED + OURS]
SEALED = [(*case, True) for case in OURS]


@pytest.mark.parametrize(("source", "sink", "source_mode", "sink_mode", "sealed"), PLAIN + SEALED)
async def test_frames_of_every_size_arrive_whole(
    join: Join, report: Report, source: str, sink: str, source_mode: str, sink_mode: str, sealed: bool
) -> None:
    keys = Keys.shared("correct horse battery staple") if sealed else None
    publisher = await join(source, "publisher", single=source_mode == "single", keys=keys)
    watcher = await join(sink, "watcher", single=sink_mode == "single", keys=keys)
    await publisher.publish(TRACK)
    await watcher.watch(publisher.identity, TRACK)
    await flowing(publisher, watcher, TRACK)
    course = Course(publisher, watcher)
    for size in EXACT + ALMOST:
        await course.run(size, TRIES, patience=0.5)
    for size in LARGE:
        await course.run(size, TRIES // 2, patience=1.0)
    # With two peer connections, sinks drop at their own socket what comes in bursts of more than fifty
    # datagrams: the kernel's counter for that socket says so. After the first one, they come in shorter ones.
    await course.until_one_of_the_largest_arrives()
    course.check_all()

    mode = source_mode if source_mode == sink_mode else f"{source_mode} → {sink_mode}"
    mode += ", encrypted" if sealed else ""
    found = course.deliveries(f"{source} → {sink}", mode)
    report.deliveries.extend(found)
    counts = {each.size: each.delivered for each in found}
    assert all(counts[size] == TRIES for size in EXACT), counts
    # Our client sends a frame in one burst; when the end of one is dropped, nothing tells the sender of it.
    bursts = (source, sink, sink_mode) == ("rs", "js", "dual")
    assert all(counts[size] >= (5 if bursts else 8) for size in ALMOST), counts
    assert all(counts[size] >= 1 for size in (*LARGE, LARGEST)), counts


class Course:
    """Pushes frames one after the other, each once the one before has arrived or takes too long."""

    def __init__(self, publisher: Client, watcher: Client) -> None:
        self.publisher = publisher
        self.watcher = watcher
        self.pushed: dict[int, tuple[int, float]] = {}
        """Size and time of each sequence."""

    async def run(self, size: int, tries: int, patience: float) -> None:
        """Pushes so many frames of this size."""
        for _ in range(tries):
            sequence = await self.push(size)
            with contextlib.suppress(AssertionError):
                await self.watcher.frame(TRACK, patience, sequence=sequence, size=size)

    async def until_one_of_the_largest_arrives(self) -> None:
        """Pushes one each second."""
        for _ in range(TRIES):
            await self.push(LARGEST)
            with contextlib.suppress(AssertionError):
                await self.watcher.frame(TRACK, 1.0, size=LARGEST)
                return
        await self.watcher.frame(TRACK, 3.0, size=LARGEST)

    async def push(self, size: int) -> int:
        """Gives the sequence. Sequence 0 has been used to see the track flow, and a byte holds few."""
        sequence = len(self.pushed) + 1
        self.pushed[sequence] = (size, await self.publisher.push(TRACK, sequence, size))
        return sequence

    def frames(self) -> list[Event]:
        """All that arrived of what was pushed here."""
        return [each for each in self.watcher.frames(TRACK) if each.sequence != 0]

    def check_all(self) -> None:
        """Nothing but what was pushed arrived, nothing twice, nothing broken."""
        sizes = {sequence: size for sequence, (size, _) in self.pushed.items()}
        broken = [
            each.fields for each in self.frames() if not each.intact or sizes.get(each.sequence) != each.size
        ]
        assert not broken, f"frames that were never pushed so: {broken}"
        sequences = [each.sequence for each in self.frames()]
        assert sequences == sorted(set(sequences)), f"out of order or twice: {sequences}"

    def deliveries(self, pair: str, mode: str) -> list[Delivery]:
        """One row for each size."""
        arrivals = {each.sequence: each.at_ms for each in self.frames()}
        rows = []
        for size in (*EXACT, *ALMOST, *LARGE, LARGEST):
            pushed = {sequence: at_ms for sequence, (its, at_ms) in self.pushed.items() if its == size}
            latencies = [
                arrivals[sequence] - at_ms for sequence, at_ms in pushed.items() if sequence in arrivals
            ]
            rows.append(Delivery(pair, mode, size, len(latencies), len(pushed), tuple(latencies)))
        return rows
