"""What happened at a client, in order, and waiting for it with a deadline."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """One thing that a client reported."""

    kind: str
    fields: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None

    def fits(self, kind: str, wanted: dict[str, Any]) -> bool:
        """Whether it is of this kind and has these fields."""
        return self.kind == kind and all(self.fields.get(key) == value for key, value in wanted.items())


class EventLog:
    """Grows at one end; nothing is ever taken away, so no wait can miss what came before it."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.events: list[Event] = []
        self._wakers: set[asyncio.Event] = set()

    def record(self, kind: str, /, **fields: Any) -> None:
        """Appends an event and wakes who waits."""
        self.events.append(Event(kind, fields))
        for waker in self._wakers:
            waker.set()

    def mark(self) -> int:
        """The place of now, for waits that must not see older events."""
        return len(self.events)

    def find(self, kind: str, /, since: int = 0, **wanted: Any) -> list[Event]:
        """All events so far that fit."""
        return [event for event in self.events[since:] if event.fits(kind, wanted)]

    async def wait(self, kind: str, /, within: float = 10.0, since: int = 0, **wanted: Any) -> Event:
        """The first event that fits, old or new."""
        return await self.wait_until(
            lambda: next(iter(self.find(kind, since=since, **wanted)), None), within, f"{kind} {wanted}"
        )

    async def wait_until(self, found: Callable[[], Any], within: float, what: str) -> Any:
        """The first value that is not None or False."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        try:
            async with asyncio.timeout(within):
                while (value := found()) is None or value is False:
                    waker.clear()
                    await waker.wait()
                return value
        except TimeoutError:
            raise AssertionError(
                f"{self.owner}: no {what} within {within} s; saw {self._summary()}"
            ) from None
        finally:
            self._wakers.discard(waker)

    def _summary(self) -> str:
        others = [f"{event.kind} {event.fields}" for event in self.events if event.kind != "frame"]
        frames = sum(event.kind == "frame" for event in self.events)
        return f"{frames} frames, {others[-12:]}"
