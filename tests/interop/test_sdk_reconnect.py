"""Outages of our own client beside official ones: sessions and subscriptions last (protocol §5.9, §9)."""

import asyncio
import contextlib
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import Join
from harness.client import Client
from harness.flow import WITH_OURS, Follower, Stream, flowing
from harness.keys import Keys
from harness.proxy import Proxy
from harness.report import Report
from harness.server import Server, serving

MODES = pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])
PAIRS = pytest.mark.parametrize(("source", "sink"), WITH_OURS)
SEALING = pytest.mark.parametrize("keys", [None, Keys.shared("kept")], ids=["plain", "encrypted"])
RECONNECT_MAX = 20.0


@SEALING
@MODES
@PAIRS
async def test_our_lost_signal_connection_is_resumed(
    server: Server, join: Join, report: Report, source: str, sink: str, single: bool, keys: Keys | None
) -> None:
    parts = urlsplit(server.http_url)
    async with Proxy.running(parts.port or 80, parts.hostname or "127.0.0.1") as proxy:
        urls = {"rs": proxy.url}
        publisher = await join(source, "publisher", url=urls.get(source, ""), single=single, keys=keys)
        watcher = await join(sink, "watcher", url=urls.get(sink, ""), single=single, keys=keys)
        sids = [await publisher.publish("pose"), await publisher.sid(), await watcher.sid()]
        await watcher.watch(publisher.identity, "pose")
        victim = publisher if source == "rs" else watcher
        async with Stream.running(publisher, "pose") as stream:
            await stream.arrives(watcher, within=10)
            begin = time.monotonic()
            assert proxy.cut() > 0
            back = await victim.log.wait("reconnected", within=RECONNECT_MAX)
            await stream.arrives(watcher, within=5)
        assert back.resumed
        if not keys:
            what = f"our signal cut, {source} → {sink}, {'single' if single else 'dual'}: until it is resumed"
            report.time(what, back.at - begin)
        announced = await watcher.announced(publisher.identity, "pose")
        assert [announced.sid, await publisher.sid(), await watcher.sid()] == sids
        for kind in ("participant_disconnected", "track_unpublished", "subscription_ended"):
            assert watcher.log.find(kind) == []
        # Handles go on as well: a track that comes now shares none with the first.
        await publisher.publish("after")
        await watcher.watch(publisher.identity, "after")
        await flowing(publisher, watcher, "after")
        await flowing(publisher, watcher, "pose")
        await publisher.close()
        await watcher.close()


def following(watcher: Client, publisher: Client) -> contextlib.AbstractAsyncContextManager[object]:
    """Nobody subscribes again for our client."""
    if watcher.keeps_subscriptions:
        return contextlib.nullcontext()
    return Follower.running(watcher, publisher, "pose")


@MODES
@PAIRS
async def test_a_full_reconnect_of_the_official_client_is_followed(
    join: Join, source: str, sink: str, single: bool
) -> None:
    publisher = await join(source, "publisher", single=single)
    watcher = await join(sink, "watcher", single=single)
    first = await publisher.publish("pose")
    await watcher.watch(publisher.identity, "pose")
    victim = watcher if source == "rs" else publisher
    old = await victim.sid()
    async with Stream.running(publisher, "pose") as stream, following(watcher, publisher):
        await stream.arrives(watcher, within=10)
        since = watcher.log.mark()
        async with stream.spared():
            await victim.reconnect(full=True)
            await victim.log.wait("reconnected", within=RECONNECT_MAX)
        await stream.arrives(watcher, within=10)
    assert await victim.sid() != old
    assert await publisher.is_published("pose")
    if watcher.kind == "rs":
        again = await watcher.announced(publisher.identity, "pose", since=since)
        assert again.sid != first
        assert watcher.log.find("subscription_ended") == []


@pytest.mark.own_server
@pytest.mark.parametrize(
    ("single", "keys"),
    [(True, None), (False, None), (True, Keys.shared("kept"))],
    ids=["single", "dual", "encrypted"],
)
@PAIRS
async def test_ours_comes_back_after_the_server_was_killed(
    tmp_path: Path,
    join: Join,
    report: Report,
    source: str,
    sink: str,
    single: bool,
    keys: Keys | None,
) -> None:
    async with serving(tmp_path) as server:
        publisher = await join(source, "publisher", at=server, single=single, keys=keys)
        watcher = await join(sink, "watcher", at=server, single=single, keys=keys)
        await publisher.publish("pose")
        await watcher.watch(publisher.identity, "pose")
        async with Stream.running(publisher, "pose") as stream, following(watcher, publisher):
            await stream.arrives(watcher, within=10)
            async with stream.spared():
                await server.kill()
                begin = time.monotonic()
                await server.start()
                back = await asyncio.gather(
                    *(client.log.wait("reconnected", within=30) for client in (publisher, watcher))
                )
            seen = await stream.arrives(watcher, within=15)
        ours = back[0] if source == "rs" else back[1]
        assert not ours.resumed
        if not keys:
            what = f"server killed and started, {source} → {sink}, {'single' if single else 'dual'}"
            report.time(f"{what}: until ours is back", ours.at - begin)
            report.time(f"{what}: until frames flow again", seen - begin)
        assert await publisher.is_published("pose")
        if watcher.kind == "rs":
            assert watcher.log.find("subscription_ended") == []
        await publisher.close()
        await watcher.close()
