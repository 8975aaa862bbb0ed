"""Two clients in a room, for all cases between them, and a third that sees what it should not."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from livekit import api

from .client import Joining
from .keys import Keys
from .server import Server
from .talk import Packets, Talker

Make = Callable[[str, str], Talker]


@dataclass(frozen=True)
class Kinds:
    """Which clients, and how they are connected."""

    source: str
    sink: str
    single: bool = True
    keys: Keys | None = None

    def id(self) -> str:
        """The name of a test's parameter."""
        mode = "single" if self.single else "dual"
        return f"{self.source}-{self.sink}-{mode}{'-encrypted' if self.keys else ''}"

    def __str__(self) -> str:
        mode = "" if self.single else ", dual"
        return f"{self.source} → {self.sink}{mode}{', encrypted' if self.keys else ''}"


@dataclass
class Pair:
    """Two clients that know each other, and a witness."""

    kinds: Kinds
    room: str
    source: Talker
    sink: Talker
    witness: Talker
    marks: int = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def joined(cls, kinds: Kinds, server: Server, make: Make) -> AsyncIterator["Pair"]:
        """Joins a room of their own; all have left afterwards."""
        room = f"room-{uuid.uuid4().hex[:12]}"
        source, sink, witness = make(kinds.source, "source"), make(kinds.sink, "sink"), make("py", "witness")
        everyone = (source, sink, witness)
        try:
            for each in everyone:
                token = server.login.token(each.identity, room, can_update_own_metadata=True)
                await each.connect(Joining(server.url, token, kinds.single, keys=kinds.keys))
            for each in everyone:
                for other in everyone:
                    if each is not other:
                        await each.knows(other)
            yield cls(kinds, room, source, sink, witness)
        finally:
            for each in everyone:
                await each.close()

    async def settled(self, *watchers: Talker) -> None:
        """Waits until the watchers have all that the source has sent: its packets keep their order."""
        self.marks += 1
        since = {each.identity: each.log.mark() for each in watchers}
        await self.source.send_packets(Packets(1, first=self.marks, topic="mark"))
        for each in watchers:
            wanted = {"from": self.source.identity, "topic": "mark", "sequence": self.marks}
            await each.log.wait("packet", since=since[each.identity], **wanted)

    async def permit(self, service: api.room_service.RoomService, *, publishes: bool) -> None:
        """Lets the source publish data, or not."""
        permission = api.ParticipantPermission(
            can_subscribe=True, can_publish=True, can_publish_data=publishes, can_update_metadata=True
        )
        request = api.UpdateParticipantRequest(
            room=self.room, identity=self.source.identity, permission=permission
        )
        await service.update_participant(request)
