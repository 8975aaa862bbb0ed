"""Schemas of the official Python client: its native library knows them though its interface does not.

Requests are made of the messages that the package brings, as its own methods make them.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from livekit.rtc._ffi_client import FfiClient
from livekit.rtc._proto import data_track_pb2 as messages
from livekit.rtc._proto import ffi_pb2

from .client import Refused
from .python_client import PythonClient

Described = dict[str, Any]
"""`frame_encoding`, and `schema` with `name` and `encoding`: numbers of what is well known, or names."""


class PythonSchemas:
    """What a Python client that has joined says and hears of schemas."""

    def __init__(self, client: PythonClient) -> None:
        self._handle = client._room.local_participant._ffi_handle.handle

    async def publish(self, name: str, described: Described) -> None:
        """Publishes a track that says how its frames are to be read."""
        encoding = _encoding(messages.DataTrackFrameEncoding, described["frame_encoding"])
        schema = _schema(described["schema"])
        options = messages.DataTrackOptions(name=name, frame_encoding=encoding, schema=schema)
        await self._ask("publish_data_track", options=options)

    async def store(self, schema: Described, text: str) -> None:
        """Keeps the text of a schema for others to fetch."""
        await self._ask("define_schema", schema_id=_schema(schema), definition=text.encode())

    async def fetch(self, publisher: str, schema: Described) -> str:
        """The text of a schema."""
        answer = await self._ask("get_schema", schema_id=_schema(schema), participant_identity=publisher)
        return (
            bytes(answer.definition).decode() if isinstance(answer.definition, bytes) else answer.definition
        )

    async def _ask(self, what: str, **fields: Any) -> Any:
        request = ffi_pb2.FfiRequest()
        message = getattr(request, what)
        message.CopyFrom(type(message)(local_participant_handle=self._handle, **fields))
        queue = FfiClient.instance.queue.subscribe()
        try:
            number = getattr(FfiClient.instance.request(request), what).async_id
            event = await queue.wait_for(lambda event: getattr(event, what).async_id == number)
        finally:
            FfiClient.instance.queue.unsubscribe(queue)
        answer = getattr(event, what)
        if answer.HasField("error"):
            raise Refused(what, getattr(answer.error, "message", f"{answer.error}"))
        return answer


@contextlib.asynccontextmanager
async def announcements(name: str) -> AsyncIterator[Any]:
    """Gives a function that waits for the announcement of a track of this name, and gives what it says."""
    native = FfiClient.instance.queue
    queue = native.subscribe(
        filter_fn=lambda event: event.room_event.data_track_published.track.info.name == name
    )

    async def described() -> Described:
        info = (await queue.get()).room_event.data_track_published.track.info
        schema = {"name": info.schema.name, "encoding": _shown(info.schema.encoding)}
        return {"frame_encoding": _shown(info.frame_encoding), "schema": schema}

    try:
        yield described
    finally:
        native.unsubscribe(queue)


def _schema(schema: Described) -> messages.DataTrackSchemaId:
    encoding = _encoding(messages.DataTrackSchemaEncoding, schema["encoding"])
    return messages.DataTrackSchemaId(name=schema["name"], encoding=encoding)


def _encoding(kind: Any, encoding: int | str) -> Any:
    return kind(well_known=encoding) if isinstance(encoding, int) else kind(custom=encoding)


def _shown(encoding: Any) -> int | str:
    return getattr(encoding, encoding.WhichOneof(encoding.DESCRIPTOR.oneofs[0].name))
