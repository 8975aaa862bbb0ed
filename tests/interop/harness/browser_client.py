"""The official JavaScript client, in Chromium."""

from collections.abc import Sequence
from typing import Any

from .client import IN_FLIGHT, Client, Joining
from .keys import Change
from .node import CALL_MAX, Node


class BrowserClient(Client):
    """`livekit-client` in the page that all browser clients share."""

    kind = "js"

    def __init__(self, identity: str, browser: Node) -> None:
        super().__init__(identity)
        self._browser = browser
        browser.logs[identity] = self.log

    async def _call(self, method: str, *args: Any, within: float = CALL_MAX) -> Any:
        return await self._browser.call("member", self.identity, method, args, within=within)

    async def connect(self, joining: Joining) -> None:
        options: dict[str, Any] = {"single": joining.single, "tcpOnly": joining.tcp_only}
        if keys := joining.keys:
            changes = [vars(change) for change in keys.changes]
            window = keys.ratchet_window
            options["keys"] = {"shared": keys.are_shared, "changes": changes, "ratchetWindow": window}
        await self._call("connect", joining.url, joining.token, options)

    async def publish(self, name: str) -> str:
        return await self._call("publish", name)

    async def push(self, name: str, sequence: int, size: int, timestamp: int | None = None) -> float:
        return await self._call("push", name, sequence, size, timestamp)

    async def flush(self, name: str) -> None:
        await self._call("flush", name)

    async def unpublish(self, name: str) -> None:
        await self._call("unpublish", name)

    async def is_published(self, name: str) -> bool:
        return await self._call("isPublished", name)

    async def subscribe(self, publisher: str, name: str) -> None:
        await self._call("subscribe", publisher, name)

    async def publish_all(self, names: Sequence[str], within: float, **description: Any) -> None:
        assert not description, "the library has no more to say"
        await self._call("publishAll", names, IN_FLIGHT, within=within)

    async def subscribe_all(self, publisher: str, names: Sequence[str], within: float) -> None:
        await self._call("subscribeAll", publisher, names, within=within)

    async def unsubscribe(self, publisher: str, name: str) -> None:
        await self._call("unsubscribe", publisher, name)

    async def change_key(self, change: Change) -> None:
        await self._call("changeKey", vars(change))

    async def sid(self) -> str:
        return await self._call("sid")

    async def participants(self) -> list[str]:
        return await self._call("participants")

    async def reconnect(self, *, full: bool) -> None:
        await self._call("reconnect", full)

    async def ice_fragment(self) -> str:
        """Changes with each ICE restart."""
        return await self._call("iceFragment")

    async def transport(self) -> str:
        """`udp` or `tcp`."""
        return await self._call("transport")

    async def close(self) -> None:
        await self._call("close")
