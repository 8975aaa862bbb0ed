"""Takes webhooks: an HTTP server that keeps what it is sent as it came."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from livekit import api

from .events import Event, EventLog
from .tokens import Login


@dataclass(frozen=True)
class Delivery:
    """A request as it came."""

    body: str
    authorization: str
    content_type: str


class WebhookSink:
    """Events: those of webhooks by their own names, verified by `livekit-api`, with all their fields and
    `delivery`; `forged` (reason) for what is not right.
    """

    def __init__(self, login: Login) -> None:
        self.log = EventLog("webhooks")
        self.failures = 0
        """How many deliveries are yet to be answered with an error."""
        self.url = ""
        self._receiver = api.WebhookReceiver(api.TokenVerifier(login.key, login.secret))

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, login: Login) -> AsyncIterator["WebhookSink"]:
        """Listens on a free port of loopback."""
        sink = cls(login)
        app = web.Application()
        app.router.add_post("/hook", sink._take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        sink.url = f"http://127.0.0.1:{port}/hook"
        try:
            yield sink
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        headers = request.headers
        delivery = Delivery(
            await request.text(),
            headers.get("Authorization", ""),
            headers.get("Content-Type", ""),
        )
        if self.failures:
            self.failures -= 1
            self.log.record("failed", delivery=delivery)
            return web.Response(status=500)
        self._record(delivery)
        return web.Response()

    def _record(self, delivery: Delivery) -> None:
        try:
            event = self.verified(delivery.body, delivery.authorization)
        except Exception as error:  # the library raises nothing narrower
            self.log.record("forged", reason=f"{error}", delivery=delivery)
            return
        self.log.record(event.pop("event"), delivery=delivery, **event)

    def verified(self, body: str, authorization: str) -> dict[str, Any]:
        """What `livekit-api` makes of a delivery; it raises if that is not the server's."""
        return MessageToDict(self._receiver.receive(body, authorization))

    def of_room(self, room: str) -> list[Event]:
        """Everything that was told of a room, in the order of its arrival."""
        return [event for event in self.log.events if _room(event) == room]

    async def wait(self, kind: str, room: str, within: float = 10.0, **wanted: Any) -> Event:
        """Waits for an event of a room; `wanted` is of the participant or of the track."""

        def fits(event: Event) -> bool:
            about = event.fields.get("participant", {}) | event.fields.get("track", {})
            right = all(about.get(key) == value for key, value in wanted.items())
            return event.kind == kind and _room(event) == room and right

        return await self.log.wait_until(
            lambda: next(filter(fits, self.log.events), None), within, f"{kind} of {room} {wanted}"
        )


def _room(event: Event) -> str | None:
    return event.fields.get("room", {}).get("name")
