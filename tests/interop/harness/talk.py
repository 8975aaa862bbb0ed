"""What clients of every language can do besides data tracks: packets, streams, RPC and shared state."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .client import Joining
from .events import EventLog

TOPIC = "interop"
"""The one topic that streams are received on."""
TALK_MAX = 60.0


class RpcFailed(Exception):
    """A call came back with an error, of the protocol or of the method that was called."""

    def __init__(self, code: int, message: str, data: str) -> None:
        super().__init__(f"{code} {message} {data}")
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True)
class Packets:
    """User packets to send one after the other, numbered from `first`."""

    count: int
    size: int = 200
    first: int = 1
    reliable: bool = True
    topic: str = TOPIC
    to: Sequence[str] = ()
    pace: int = 0
    """Milliseconds after each."""


@dataclass(frozen=True)
class About:
    """What goes with a stream."""

    to: Sequence[str] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    topic: str = TOPIC


@dataclass(frozen=True)
class Sent:
    """A byte stream as its sender knows it."""

    sha256: str
    progress: list[float]
    """What the library told of it; only some do."""


class Talker(ABC):
    """One participant.

    Events: `packet` (from, topic, reliable, sequence, size, intact), `stream_opened` (from), `progress`
    (from, done), `text` (from, topic, attributes, total, text, size, sha256, error), `bytes` (from, topic,
    name, total, size, sha256, progress, error), `attributes_changed`, `metadata_changed`, `name_changed` and
    `permissions_changed` (identity, name, metadata, attributes, publishes), `room_metadata_changed`
    (metadata), and those of `Client` that do not concern tracks.

    It answers the calls `echo`, `caller`, `repeat`, `fail`, `crash` and `never`.
    """

    kind: str
    identity: str
    log: EventLog

    @abstractmethod
    async def connect(self, joining: Joining) -> None:
        """Joins, or raises `Refused`."""

    @abstractmethod
    async def close(self) -> None:
        """Leaves; may be called twice."""

    @abstractmethod
    async def send_packets(self, packets: Packets) -> None:
        """Sends them, each when the library is done with the one before."""

    @abstractmethod
    async def send_text(self, text: str, about: About) -> None:
        """Sends a text at once."""

    @abstractmethod
    async def stream_text(self, pieces: Sequence[str], about: About) -> None:
        """Sends a text piece by piece."""

    @abstractmethod
    async def send_file(self, size: int, about: About) -> Sent:
        """Sends random bytes as a file."""

    @abstractmethod
    async def rpc(self, to: str, method: str, payload: str = "", timeout: float = 10.0) -> str:
        """Calls a method of another participant, or raises `RpcFailed`."""

    @abstractmethod
    async def set_attributes(self, attributes: dict[str, str]) -> None:
        """Changes these of its own; an empty value deletes."""

    @abstractmethod
    async def set_metadata(self, metadata: str) -> None:
        """Changes its own."""

    @abstractmethod
    async def set_name(self, name: str) -> None:
        """Changes its own."""

    @abstractmethod
    async def profile(self, identity: str) -> dict[str, Any]:
        """What it knows of a participant: name, metadata, attributes, publishes."""

    @abstractmethod
    async def resume(self) -> None:
        """Starts a reconnection as if the signal connection were lost; ICE begins anew with it."""

    async def knows(self, other: "Talker") -> None:
        """Waits until the other has been announced, if it was not there before."""
        if other.identity not in await self.participants():
            await self.log.wait("participant_connected", identity=other.identity)

    @abstractmethod
    async def participants(self) -> list[str]:
        """Identities of the others."""

    def packets(self, sender: str, topic: str = TOPIC, since: int = 0) -> list[int]:
        """Sequences of the packets that arrived whole, in the order of their arrival."""
        found = self.log.find("packet", since=since, topic=topic, intact=True, **{"from": sender})
        return [each.sequence for each in found]


class ScriptTalker(Talker):
    """A participant in another program."""

    @abstractmethod
    async def _talk(self, what: str, about: dict[str, Any]) -> Any:
        """Has it done there."""

    async def send_packets(self, packets: Packets) -> None:
        await self._talk("send_packets", asdict(packets))

    async def send_text(self, text: str, about: About) -> None:
        await self._talk("send_text", {"text": text, **asdict(about)})

    async def stream_text(self, pieces: Sequence[str], about: About) -> None:
        await self._talk("stream_text", {"pieces": list(pieces), **asdict(about)})

    async def send_file(self, size: int, about: About) -> Sent:
        return Sent(**await self._talk("send_file", {"size": size, **asdict(about)}))

    async def rpc(self, to: str, method: str, payload: str = "", timeout: float = 10.0) -> str:
        about = {"to": to, "method": method, "payload": payload, "timeout": int(timeout * 1000)}
        answer = await self._talk("rpc", about)
        if "payload" in answer:
            return answer["payload"]
        raise RpcFailed(**answer)

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        await self._talk("set_attributes", {"attributes": attributes})

    async def set_metadata(self, metadata: str) -> None:
        await self._talk("set_metadata", {"metadata": metadata})

    async def set_name(self, name: str) -> None:
        await self._talk("set_name", {"name": name})

    async def profile(self, identity: str) -> dict[str, Any]:
        return await self._talk("profile", {"identity": identity})
