"""The official Python client, besides data tracks."""

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from typing import Any

from livekit import rtc
from livekit.rtc.participant import PublishDataError

from . import payload
from .client import Joining, Refused
from .python_client import PythonClient
from .talk import TOPIC, About, Packets, RpcFailed, Sent, Talker

TEXT_SHOWN_MAX = 1_000
PROGRESS_STEP = 0.1


class PythonTalker(PythonClient, Talker):
    """`livekit` for Python."""

    def __init__(self, identity: str) -> None:
        super().__init__(identity)
        self._reading: set[asyncio.Task[None]] = set()

    def _listen(self) -> None:
        super()._listen()
        room = self._room
        room.on("data_received", self._on_packet)
        room.on("participant_attributes_changed", lambda _, who: self._changed("attributes_changed", who))
        room.on("participant_metadata_changed", lambda who, *_: self._changed("metadata_changed", who))
        room.on("participant_name_changed", lambda who, *_: self._changed("name_changed", who))
        room.on("participant_permissions_changed", lambda who, _: self._changed("permissions_changed", who))
        room.on(
            "room_metadata_changed",
            lambda _, metadata: self.log.record("room_metadata_changed", metadata=metadata),
        )
        room.register_text_stream_handler(TOPIC, lambda *seen: self._read_stream(self._read_text(*seen)))
        room.register_byte_stream_handler(TOPIC, lambda *seen: self._read_stream(self._read_bytes(*seen)))

    async def connect(self, joining: Joining) -> None:
        await super().connect(joining)
        register = self._room.local_participant.register_rpc_method
        for method, handler in METHODS.items():
            register(method, handler)

    def _changed(self, kind: str, who: rtc.Participant) -> None:
        self.log.record(kind, identity=who.identity, **_described(who))

    def _on_packet(self, packet: rtc.DataPacket) -> None:
        sender = packet.participant.identity if packet.participant else ""
        reliable = packet.kind == rtc.DataPacketKind.KIND_RELIABLE
        about = {"from": sender, "topic": packet.topic or "", "reliable": reliable}
        self.log.record("packet", **about, **vars(payload.inspect(packet.data)))

    def _read_stream(self, reading: Any) -> None:
        task = asyncio.create_task(reading)
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read_text(self, reader: rtc.TextStreamReader, sender: str) -> None:
        self.log.record("stream_opened", **{"from": sender})
        info, text, error = reader.info, "", None
        about = {"from": sender, "topic": info.topic, "attributes": dict(info.attributes or {})}
        try:
            async for piece in reader:
                text += piece
        except rtc.StreamError as failure:
            error = failure.description
        shown = text if len(text) <= TEXT_SHOWN_MAX else None
        whole = text.encode()
        about |= {"total": info.size, "error": error, "sha256": hashlib.sha256(whole).hexdigest()}
        self.log.record("text", text=shown, size=len(whole), **about)

    async def _read_bytes(self, reader: rtc.ByteStreamReader, sender: str) -> None:
        self.log.record("stream_opened", **{"from": sender})
        info, whole, error = reader.info, bytearray(), None
        progress, told = [], 0.0
        try:
            async for chunk in reader:
                whole += chunk
                progress.append(len(whole) / (info.size or len(whole)))
                if progress[-1] >= told + PROGRESS_STEP:
                    told = progress[-1]
                    self.log.record("progress", done=told, **{"from": sender})
        except rtc.StreamError as failure:
            error = failure.description
        about = {"from": sender, "topic": info.topic, "name": info.name, "total": info.size}
        about |= {"progress": progress, "error": error, "sha256": hashlib.sha256(whole).hexdigest()}
        self.log.record("bytes", size=len(whole), **about)

    async def send_packets(self, packets: Packets) -> None:
        about = {"reliable": packets.reliable, "topic": packets.topic}
        for sequence in range(packets.first, packets.first + packets.count):
            data = payload.make(sequence, packets.size)
            try:
                await self._room.local_participant.publish_data(
                    data, destination_identities=list(packets.to), **about
                )
            except PublishDataError as error:
                raise Refused("PublishDataError", error.message) from error
            if packets.pace:
                await asyncio.sleep(packets.pace / 1000)

    async def send_text(self, text: str, about: About) -> None:
        await self._room.local_participant.send_text(text, **_options(about))

    async def stream_text(self, pieces: Sequence[str], about: About) -> None:
        writer = await self._room.local_participant.stream_text(**_options(about))
        for piece in pieces:
            await writer.write(piece)
        await writer.aclose()

    async def send_file(self, size: int, about: About) -> Sent:
        data = os.urandom(size)
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            file.write(data)
            file.flush()
            await self._room.local_participant.send_file(file.name, **_options(about))
        return Sent(hashlib.sha256(data).hexdigest(), [])

    async def rpc(self, to: str, method: str, payload: str = "", timeout: float = 10.0) -> str:
        try:
            return await self._room.local_participant.perform_rpc(
                destination_identity=to, method=method, payload=payload, response_timeout=timeout
            )
        except rtc.RpcError as error:
            raise RpcFailed(error.code, error.message, error.data or "") from error

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        await self._room.local_participant.set_attributes(attributes)

    async def set_metadata(self, metadata: str) -> None:
        await self._room.local_participant.set_metadata(metadata)

    async def set_name(self, name: str) -> None:
        await self._room.local_participant.set_name(name)

    async def profile(self, identity: str) -> dict[str, Any]:
        own = self._room.local_participant
        return _described(own if identity == own.identity else self._room.remote_participants[identity])

    async def resume(self) -> None:
        await self.reconnect(full=False)

    async def close(self) -> None:
        for task in list(self._reading):
            task.cancel()
        await super().close()


def _options(about: About) -> dict[str, Any]:
    return {"destination_identities": list(about.to), "attributes": about.attributes, "topic": about.topic}


def _described(who: rtc.Participant) -> dict[str, Any]:
    publishes = who.permissions.can_publish_data
    about = {"name": who.name, "metadata": who.metadata, "attributes": who.attributes}
    return about | {"publishes": publishes}


async def _echo(call: rtc.RpcInvocationData) -> str:
    return call.payload


async def _caller(call: rtc.RpcInvocationData) -> str:
    return call.caller_identity


async def _repeat(call: rtc.RpcInvocationData) -> str:
    return "x" * int(call.payload)


async def _fail(call: rtc.RpcInvocationData) -> str:
    wanted = json.loads(call.payload)
    raise rtc.RpcError(wanted["code"], wanted["message"], wanted["data"])


async def _crash(_: rtc.RpcInvocationData) -> str:
    raise ValueError("nobody is told this")


async def _never(_: rtc.RpcInvocationData) -> str:
    await asyncio.Event().wait()
    return ""


METHODS = {
    "echo": _echo,
    "caller": _caller,
    "repeat": _repeat,
    "fail": _fail,
    "crash": _crash,
    "never": _never,
}
