"""The official Python client."""

import asyncio
from typing import Any

from livekit import rtc
from livekit.rtc.participant import PublishDataTrackError

from . import payload
from .client import Client, Joining, Refused, wall_ms
from .keys import Change, Keys

TRACKS_LEFT_MAX = 200
"""With 600 tracks published the library leaves any server, and never ends to say so; with 300 it does."""


class PythonClient(Client):
    """`livekit` for Python, which is LiveKit's Rust client below."""

    kind = "py"

    def __init__(self, identity: str) -> None:
        super().__init__(identity)
        self._room = rtc.Room()
        self._local: dict[str, rtc.LocalDataTrack] = {}
        self._remote: dict[tuple[str, str], rtc.RemoteDataTrack] = {}
        self._readers: dict[tuple[str, str], tuple[rtc.DataTrackStream, asyncio.Task[None]]] = {}
        self._listen()

    def _listen(self) -> None:
        record, room = self.log.record, self._room
        room.on("reconnecting", lambda: record("reconnecting"))
        room.on("reconnected", lambda: record("reconnected"))
        room.on("disconnected", lambda reason: record("disconnected", reason=_reason(reason)))
        room.on("participant_connected", lambda who: record("participant_connected", identity=who.identity))
        room.on(
            "participant_disconnected", lambda who: record("participant_disconnected", identity=who.identity)
        )
        room.on("data_track_published", self._on_published)
        room.on("data_track_unpublished", lambda sid: record("track_unpublished", sid=sid))

    def _on_published(self, track: rtc.RemoteDataTrack) -> None:
        publisher, info = track.publisher_identity, track.info
        self._remote[publisher, info.name] = track
        self.log.record("track_published", publisher=publisher, name=info.name, sid=info.sid)

    async def connect(self, joining: Joining) -> None:
        encryption = _encryption(joining.keys) if joining.keys else None
        options = rtc.RoomOptions(single_peer_connection=joining.single, encryption=encryption)
        try:
            await self._room.connect(joining.url, joining.token, options)
        except rtc.ConnectError as error:
            raise Refused("ConnectError", error.message) from error
        # Keys have a place to be set at from now on only.
        for change in joining.keys.changes if joining.keys else ():
            await self.change_key(change)

    async def change_key(self, change: Change) -> None:
        provider = self._room.e2ee_manager.key_provider
        assert provider is not None
        key = change.passphrase.encode()
        match change:
            case Change(identity=None, passphrase=""):
                provider.ratchet_shared_key(change.index)
            case Change(identity=None):
                provider.set_shared_key(key, change.index)
            case Change(identity=identity, passphrase=""):
                provider.ratchet_key(identity, change.index)
            case Change(identity=identity):
                provider.set_key(identity, key, change.index)

    async def publish(self, name: str) -> str:
        try:
            track = await self._room.local_participant.publish_data_track(name=name)
        except PublishDataTrackError as error:
            raise Refused("PublishDataTrackError", error.message) from error
        self._local[name] = track
        return track.info.sid

    async def push(self, name: str, sequence: int, size: int, timestamp: int | None = None) -> float:
        frame = rtc.DataTrackFrame(payload=payload.make(sequence, size), user_timestamp=timestamp)
        at_ms = wall_ms()
        try:
            self._local[name].try_push(frame)
        except rtc.PushFrameError as error:
            raise Refused("PushFrameError", error.message) from error
        return at_ms

    async def flush(self, name: str) -> None:
        return  # the library does not tell

    async def unpublish(self, name: str) -> None:
        await self._local[name].unpublish()

    async def is_published(self, name: str) -> bool:
        return self._local[name].is_published()

    async def subscribe(self, publisher: str, name: str) -> None:
        if (publisher, name) in self._readers:
            await self.unsubscribe(publisher, name)
        stream = self._remote[publisher, name].subscribe()
        task = asyncio.create_task(self._read(stream, publisher, name))
        self._readers[publisher, name] = (stream, task)

    async def _read(self, stream: rtc.DataTrackStream, publisher: str, name: str) -> None:
        error = None
        try:
            async for frame in stream:
                at_ms = wall_ms()
                seen = payload.inspect(frame.payload)
                about = {"publisher": publisher, "name": name, "timestamp": frame.user_timestamp}
                self.log.record("frame", at_ms=at_ms, **about, **vars(seen))
        except rtc.SubscribeDataTrackError as failure:
            error = failure.message
        self.log.record("subscription_ended", publisher=publisher, name=name, error=error)

    async def unsubscribe(self, publisher: str, name: str) -> None:
        stream, task = self._readers.pop((publisher, name))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        stream.close()

    async def sid(self) -> str:
        return self._room.local_participant.sid

    async def participants(self) -> list[str]:
        return list(self._room.remote_participants)

    async def reconnect(self, *, full: bool) -> None:
        kinds = rtc.SimulateScenarioKind
        kind = kinds.SIMULATE_FULL_RECONNECT if full else kinds.SIMULATE_SIGNAL_RECONNECT
        await self._room.simulate_scenario(kind)

    async def close(self) -> None:
        for key in list(self._readers):
            await self.unsubscribe(*key)
        if len(self._local) > TRACKS_LEFT_MAX:
            for name in self._local:
                await self.unpublish(name)
        await self._room.disconnect()


def _encryption(keys: Keys) -> rtc.E2EEOptions:
    shared = keys.changes[0].passphrase.encode() if keys.are_shared else None
    window = keys.ratchet_window
    return rtc.E2EEOptions(rtc.KeyProviderOptions(shared_key=shared, ratchet_window_size=window))


def _reason(reason: Any) -> str:
    return rtc.DisconnectReason.Name(reason)
