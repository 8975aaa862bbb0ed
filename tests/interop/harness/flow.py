"""Frames that keep coming, to see when they begin, stop and begin again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from .client import Client, Refused

WITH_OURS = [("rs", "py"), ("py", "rs"), ("rs", "js"), ("js", "rs")]
"""Our own client on either side of each official one."""
PROBE_BYTES = 64
FIRST_FRAME_MAX = 10.0
FOLLOWING_MAX = 120.0


async def flowing(publisher: Client, watcher: Client, name: str, within: float = FIRST_FRAME_MAX) -> None:
    """Pushes frames with sequence 0 until one arrives: no client tells when its subscription begins."""
    since = watcher.log.mark()
    async with Stream.running(publisher, name, numbered=False):
        await watcher.frame(name, within, since, sequence=0)


class Stream:
    """Pushes a small frame of a track fifty times a second."""

    PERIOD = 0.02

    def __init__(self, publisher: Client, name: str, *, numbered: bool) -> None:
        self.publisher = publisher
        self.name = name
        self.sequence = 0
        self.refused = 0
        self._step = int(numbered)
        self._turn = asyncio.Lock()

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, publisher: Client, name: str, *, numbered: bool = True) -> AsyncIterator["Stream"]:
        """Pushes as long as the block runs; sequences count from 1, or all are 0."""
        stream = cls(publisher, name, numbered=numbered)
        task = asyncio.create_task(stream._push())
        try:
            yield stream
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _push(self) -> None:
        while True:
            async with self._turn:
                self.sequence += self._step
                try:
                    await self.publisher.push(self.name, self.sequence, PROBE_BYTES)
                except Refused:
                    self.refused += 1  # as while it reconnects
            await asyncio.sleep(self.PERIOD)

    @contextlib.asynccontextmanager
    async def spared(self) -> AsyncIterator[None]:
        """Browsers push nothing as long as the block runs, which takes their session from them.

        livekit-client 2.23.0 remembers for the whole of the next session that there was no connection,
        if a frame is pushed just between two sessions, and then never sends one again.
        """
        if self.publisher.kind != "js":
            yield
            return
        async with self._turn:
            await self.publisher.flush(self.name)
            yield

    async def arrives(self, watcher: Client, within: float) -> float:
        """Waits for a frame that is pushed from now on; gives its arrival on the monotonic clock."""
        later, since = self.sequence, watcher.log.mark()

        def found() -> object:
            frames = watcher.frames(self.name, since)
            return next((each for each in frames if each.sequence > later), None)

        try:
            return (await watcher.log.wait_until(found, within, f"frame of {self.name} after {later}")).at
        except AssertionError as error:
            error.add_note(f"pushed up to {self.sequence}, {self.refused} of them refused")
            raise


class Follower:
    """Subscribes again where a client's library ends a subscription with the session it belonged to.

    An application has to do the same: libraries keep a subscription only while its track keeps its sid.
    """

    def __init__(self, watcher: Client, publisher: str, name: str) -> None:
        self.watcher = watcher
        self.publisher = publisher
        self.name = name
        self.renewals = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, watcher: Client, publisher: Client, name: str) -> AsyncIterator["Follower"]:
        """Follows a track that is subscribed to, as long as the block runs."""
        follower = cls(watcher, publisher.identity, name)
        task = asyncio.create_task(follower._follow())
        try:
            yield follower
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _follow(self) -> None:
        log = self.watcher.log
        since = log.mark()
        while True:
            await log.wait_until(lambda mark=since: self._can_renew(mark), FOLLOWING_MAX, "end of following")
            since = log.mark()
            self.renewals += 1
            await self.watcher.subscribe(self.publisher, self.name)

    def _can_renew(self, since: int) -> bool:
        """The track is there anew, or its subscription alone has ended with the watcher's own session."""
        log = self.watcher.log
        if self._last("reconnecting", "reconnected") == "reconnecting":
            return False
        if self._last("track_unpublished", "track_published") == "track_unpublished":
            return False
        if log.find("track_published", since=since, name=self.name):
            return True
        ended = log.find("subscription_ended", since=since, name=self.name)
        return bool(ended and log.find("reconnected", since=since))

    def _last(self, *kinds: str) -> str | None:
        """Which of these kinds came last."""
        events = reversed(self.watcher.log.events)
        return next((event.kind for event in events if event.kind in kinds), None)
