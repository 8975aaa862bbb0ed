"""Our own client: the SDK in the program `sdk-peer`, which all of its participants share."""

from typing import Any

from .client import Client, Joining
from .keys import Change, Keys
from .node import Node


class RustClient(Client):
    """`trackyard`, the Rust SDK."""

    kind = "rs"
    keeps_subscriptions = True

    def __init__(self, identity: str, peer: Node) -> None:
        super().__init__(identity)
        self._peer = peer
        peer.logs[identity] = self.log

    async def _call(self, what: str, **fields: Any) -> Any:
        return await self._peer.call("member", self.identity, {"do": what, **fields})

    async def connect(self, joining: Joining) -> None:
        keys = self._keys(joining.keys) if joining.keys else None
        about = {"url": joining.url, "token": joining.token, "single": joining.single}
        await self._call("connect", keys=keys, **about)

    def _keys(self, keys: Keys) -> dict[str, Any]:
        return {"changes": [self._change(each) for each in keys.changes]}

    def _change(self, change: Change) -> dict[str, Any]:
        about: dict[str, Any] = {"index": change.index}
        if change.passphrase:
            about["passphrase"] = change.passphrase
        match change.identity:
            case None:
                kind = "shared"
            case self.identity:
                kind = "own"
            case other:
                kind = "of"
                about["identity"] = other
        return {"change": kind if change.passphrase else f"ratchet_{kind}", **about}

    async def change_key(self, change: Change) -> None:
        await self._call("key", **self._change(change))

    async def key_stats(self) -> dict[str, int]:
        """Frames `decrypted`, `ratcheted`, `no_key`, `wrong_key`, over all tracks."""
        return await self._call("key_stats")

    async def publish(self, name: str, **description: Any) -> str:
        return await self._call("publish", name=name, **description)

    async def push(self, name: str, sequence: int, size: int, timestamp: int | None = None) -> float:
        return await self._call("push", name=name, sequence=sequence, size=size, timestamp=timestamp)

    async def flush(self, name: str) -> None:
        return  # what is pushed waits in the library, and is sent or counted

    async def unpublish(self, name: str) -> None:
        await self._call("unpublish", name=name)

    async def is_published(self, name: str) -> bool:
        return await self._call("is_published", name=name)

    async def subscribe(self, publisher: str, name: str, target_fps: int | None = None) -> None:
        await self._call("subscribe", publisher=publisher, name=name, target_fps=target_fps)

    async def unsubscribe(self, publisher: str, name: str) -> None:
        await self._call("unsubscribe", publisher=publisher, name=name)

    async def describe(self, publisher: str, name: str) -> dict[str, Any]:
        """What is known of another participant's track."""
        return await self._call("describe", publisher=publisher, name=name)

    async def store_schema(self, schema: dict[str, Any], text: str) -> None:
        """Keeps the text of a schema for others to fetch."""
        await self._call("store_schema", schema=schema, text=text)

    async def fetch_schema(self, publisher: str, name: str) -> str | None:
        """The text of a track's schema."""
        return await self._call("fetch_schema", publisher=publisher, name=name)

    async def sid(self) -> str:
        return await self._call("sid")

    async def participants(self) -> list[str]:
        return await self._call("participants")

    async def is_single(self) -> bool:
        """Whether both directions share one peer connection."""
        return await self._call("is_single")

    async def reconnect(self, *, full: bool) -> None:
        raise NotImplementedError("the SDK has no such call: tests cut its connections instead")

    async def close(self) -> None:
        await self._call("close")
