"""What every client under test can do, whatever it is written in."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .events import Event, EventLog
from .keys import Change, Keys

IN_FLIGHT = 64
"""Publications that wait for their answer."""


class Refused(Exception):
    """The client's library reported an error; `reason` is its own word for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Joining:
    """How to join."""

    url: str
    token: str
    single: bool = True
    tcp_only: bool = False
    """Leaves the client no way but ICE over TCP; browsers alone can be told."""
    keys: Keys | None = None
    """End-to-end encryption."""


class Client(ABC):
    """One participant.

    Events: `reconnecting`, `reconnected`, `disconnected` (reason), `participant_connected` and
    `participant_disconnected` (identity), `track_published` (publisher, name, sid),
    `track_unpublished` (sid), `local_unpublished` (sid), `frame` (publisher, name, sequence, size,
    intact, at_ms, timestamp), `subscription_ended` (publisher, name, error). Our own client tells more.
    """

    kind: str
    keeps_subscriptions = False
    """Whether a subscription goes on by itself when its track is published anew."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.log = EventLog(f"{self.kind} {identity}")

    @abstractmethod
    async def connect(self, joining: Joining) -> None:
        """Joins, or raises `Refused`."""

    @abstractmethod
    async def publish(self, name: str) -> str:
        """Publishes a data track and gives its sid, or raises `Refused`."""

    @abstractmethod
    async def push(self, name: str, sequence: int, size: int, timestamp: int | None = None) -> float:
        """Pushes a frame; gives the wall clock in milliseconds just before."""

    @abstractmethod
    async def flush(self, name: str) -> None:
        """Waits until what was pushed has left the library, as far as it can tell."""

    @abstractmethod
    async def unpublish(self, name: str) -> None:
        """Takes the track back."""

    @abstractmethod
    async def is_published(self, name: str) -> bool:
        """Whether the library still holds the track for published."""

    @abstractmethod
    async def subscribe(self, publisher: str, name: str) -> None:
        """Subscribes to a track that has been announced, in place of an older subscription to that name;
        its frames become events."""

    @abstractmethod
    async def unsubscribe(self, publisher: str, name: str) -> None:
        """Ends the subscription."""

    @abstractmethod
    async def change_key(self, change: Change) -> None:
        """Changes a key of a client that has joined with some."""

    @abstractmethod
    async def sid(self) -> str:
        """The participant's own sid."""

    @abstractmethod
    async def participants(self) -> list[str]:
        """Identities of the others."""

    @abstractmethod
    async def reconnect(self, *, full: bool) -> None:
        """Starts a reconnection as if the signal connection were lost; `full` with a new session."""

    @abstractmethod
    async def close(self) -> None:
        """Leaves; may be called twice."""

    async def publish_all(self, names: Sequence[str], within: float, **description: Any) -> None:
        """Publishes tracks, some at a time."""
        waiting = iter(names)

        async def publish() -> None:
            for name in waiting:
                await self.publish(name, **description)

        async with asyncio.timeout(within):
            await asyncio.gather(*(publish() for _ in range(IN_FLIGHT)))

    async def subscribe_all(self, publisher: str, names: Sequence[str], within: float) -> None:
        """Subscribes to tracks that have been announced, all at once."""
        async with asyncio.timeout(within):
            for name in names:
                await self.subscribe(publisher, name)

    async def announced(self, publisher: str, name: str, within: float = 10.0, since: int = 0) -> Event:
        """Waits until the track has been announced."""
        return await self.log.wait(
            "track_published", within=within, since=since, publisher=publisher, name=name
        )

    async def watch(self, publisher: str, name: str) -> None:
        """Subscribes as soon as the track is announced."""
        await self.announced(publisher, name)
        await self.subscribe(publisher, name)

    def frames(self, name: str, since: int = 0) -> list[Event]:
        """All frames of that track."""
        return self.log.find("frame", since=since, name=name)

    async def frame(self, name: str, within: float, since: int = 0, **wanted: Any) -> Event:
        """Waits for a frame of that track."""
        return await self.log.wait("frame", within=within, since=since, name=name, **wanted)


def wall_ms() -> float:
    """Wall clock in milliseconds, as browsers have it."""
    return time.time() * 1000
