"""Tracks that come and go, and who sees it (protocol §5.1–§5.3)."""

import asyncio
import itertools
import time

import pytest

from conftest import Join
from harness.flow import WITH_OURS, Stream, flowing
from harness.report import Report

PAIRS = [*itertools.product(("py", "js"), ("py", "js")), *WITH_OURS]
MODES = pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])
TRACKS = 50


@MODES
@pytest.mark.parametrize(("source", "sink"), PAIRS)
async def test_a_late_joiner_sees_the_tracks_and_gets_frames(
    join: Join, report: Report, source: str, sink: str, single: bool
) -> None:
    publisher = await join(source, "publisher", single=single)
    names = ["cam/front", "cam/rear", "pose"]
    for name in names:
        await publisher.publish(name)
    async with Stream.running(publisher, "pose"):
        begin = time.monotonic()
        late = await join(sink, "late", single=single)
        for name in names:
            await late.announced(publisher.identity, name)
        await late.subscribe(publisher.identity, "pose")
        first = await late.frame("pose", within=5)
    mode = "single" if single else "dual"
    report.time(f"late joiner, {source} → {sink}, {mode}: from joining to the first frame", first.at - begin)
    assert first.intact


@pytest.mark.parametrize(("source", "sink"), PAIRS)
async def test_a_name_is_free_again_once_unpublished(join: Join, source: str, sink: str) -> None:
    publisher = await join(source, "publisher")
    watcher = await join(sink, "watcher")
    first = await publisher.publish("pose")
    await watcher.watch(publisher.identity, "pose")
    await flowing(publisher, watcher, "pose")

    await publisher.unpublish("pose")
    await watcher.log.wait("track_unpublished", sid=first)
    if not watcher.keeps_subscriptions:
        await watcher.log.wait("subscription_ended", name="pose")
    assert not await publisher.is_published("pose")

    since = watcher.log.mark()
    second = await publisher.publish("pose")
    assert second != first
    again = await watcher.announced(publisher.identity, "pose", since=since)
    assert again.sid == second
    if not watcher.keeps_subscriptions:
        await watcher.subscribe(publisher.identity, "pose")
    await flowing(publisher, watcher, "pose")


@pytest.mark.parametrize(("source", "sink"), PAIRS)
async def test_tracks_go_with_their_publisher(join: Join, source: str, sink: str) -> None:
    publisher = await join(source, "publisher")
    watcher = await join(sink, "watcher")
    sid = await publisher.publish("pose")
    await watcher.watch(publisher.identity, "pose")
    await flowing(publisher, watcher, "pose")
    await publisher.close()
    await watcher.log.wait("participant_disconnected", identity=publisher.identity)
    await watcher.log.wait("track_unpublished", sid=sid)
    assert await watcher.participants() == []


@pytest.mark.parametrize(("source", "sink"), [("py", "py"), ("py", "js"), *WITH_OURS])
async def test_a_subscription_can_end_and_begin_again(join: Join, source: str, sink: str) -> None:
    publisher = await join(source, "publisher")
    watcher = await join(sink, "watcher")
    await publisher.publish("pose")
    await watcher.watch(publisher.identity, "pose")
    async with Stream.running(publisher, "pose") as stream:
        await stream.arrives(watcher, within=10)
        await watcher.unsubscribe(publisher.identity, "pose")
        await watcher.subscribe(publisher.identity, "pose")
        await stream.arrives(watcher, within=10)


@pytest.mark.parametrize(("source", "sink"), [("py", "js"), ("js", "py"), *WITH_OURS])
async def test_fifty_tracks_at_once(join: Join, report: Report, source: str, sink: str) -> None:
    publisher = await join(source, "publisher")
    watcher = await join(sink, "watcher")
    names = [f"sensor/{number}" for number in range(TRACKS)]
    begin = time.monotonic()
    sids = await asyncio.gather(*(publisher.publish(name) for name in names))
    assert len(set(sids)) == TRACKS
    seen = [await watcher.announced(publisher.identity, name) for name in names]
    assert [each.sid for each in seen] == sids
    last = max(each.at for each in seen)
    report.time(f"{TRACKS} tracks, {source} → {sink}: from the first request to the last seen", last - begin)
    for name in names:
        await watcher.subscribe(publisher.identity, name)
    for name in names:
        await flowing(publisher, watcher, name)
