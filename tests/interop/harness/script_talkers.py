"""Talkers in other programs: Chromium, Node, and our own client."""

from typing import Any

from .browser_client import BrowserClient
from .client import Joining
from .events import EventLog
from .node import Node
from .rust_client import RustClient
from .talk import TALK_MAX, ScriptTalker


class BrowserTalker(BrowserClient, ScriptTalker):
    """`livekit-client`."""

    async def resume(self) -> None:
        await self.reconnect(full=False)

    async def _talk(self, what: str, about: dict[str, Any]) -> Any:
        rest = ["talk", [_camel(what), about]]
        return await self._browser.call("member", self.identity, *rest, within=TALK_MAX)


class NodeTalker(ScriptTalker):
    """`@livekit/rtc-node`."""

    kind = "node"

    def __init__(self, identity: str, node: Node) -> None:
        self.identity = identity
        self.log = node.logs[identity] = EventLog(f"node {identity}")
        self._node = node

    async def connect(self, joining: Joining) -> None:
        await self._node.call("connect", self.identity, joining.url, joining.token, joining.single)

    async def close(self) -> None:
        await self._node.call("close", self.identity)

    async def participants(self) -> list[str]:
        return await self._node.call("participants", self.identity)

    async def resume(self) -> None:
        await self._node.call("resume", self.identity)

    async def _talk(self, what: str, about: dict[str, Any]) -> Any:
        return await self._node.call("talk", self.identity, _camel(what), about, within=TALK_MAX)


class RustTalker(RustClient, ScriptTalker):
    """`trackyard`, the Rust SDK."""

    async def resume(self) -> None:
        raise NotImplementedError("the SDK has no such call: tests cut its connections instead")

    async def set_room_metadata(self, metadata: str) -> None:
        """Replaces what is said of the room."""
        await self._talk("set_room_metadata", {"metadata": metadata})

    async def patch_room_metadata(self, patch: dict[str, Any], if_revision: int | None = None) -> int:
        """Changes parts of it, and gives its revision."""
        about = {"patch": patch, "if_revision": if_revision}
        return await self._talk("patch_room_metadata", about)

    async def _talk(self, what: str, about: dict[str, Any]) -> Any:
        talk = {"do": what, **about}
        call = {"do": "talk", "talk": talk}
        return await self._peer.call("member", self.identity, call, within=TALK_MAX)


def _camel(words: str) -> str:
    first, *rest = words.split("_")
    return first + "".join(word.capitalize() for word in rest)
