"""Schemas and frame encodings between our own client and official ones (protocol §5.7)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conftest import Join
from harness.client import Client, Refused
from harness.flow import flowing
from harness.proxy import Proxy
from harness.python_client import PythonClient
from harness.python_schemas import PythonSchemas, announcements
from harness.rust_client import RustClient
from harness.server import Server

TEXT = 'syntax = "proto3";\npackage yard;\nmessage Pose { double x = 1; double y = 2; } // größer\n'
ANSWER_MAX = 10.0
DESCRIBED = pytest.mark.parametrize(
    "described",
    [
        {"frame_encoding": 3, "schema": {"name": "yard.Pose", "encoding": 1}},
        {"frame_encoding": 2, "schema": {"name": "geometry_msgs/msg/Pose", "encoding": 4}},
        {"frame_encoding": "vendor", "schema": {"name": "pose.v1", "encoding": "vendor-idl"}},
    ],
    ids=["protobuf", "ros2", "custom"],
)
Described = dict[str, Any]


def ours(client: Client) -> RustClient:
    """The client as what it is."""
    assert isinstance(client, RustClient)
    return client


def schemas(client: Client) -> PythonSchemas:
    """What the Python client says and hears of schemas."""
    assert isinstance(client, PythonClient)
    return PythonSchemas(client)


@DESCRIBED
async def test_python_hears_how_our_frames_are_to_be_read(join: Join, described: Described) -> None:
    publisher, watcher = ours(await join("rs", "publisher")), await join("py", "watcher")
    async with announcements("pose") as heard, asyncio.timeout(ANSWER_MAX):
        await publisher.publish("pose", **described)
        assert await heard() == described
    await watcher.watch(publisher.identity, "pose")
    await flowing(publisher, watcher, "pose")


@DESCRIBED
async def test_ours_hears_how_frames_of_python_are_to_be_read(join: Join, described: Described) -> None:
    publisher, watcher = await join("py", "publisher"), ours(await join("rs", "watcher"))
    async with asyncio.timeout(ANSWER_MAX):
        await schemas(publisher).publish("pose", described)
    announced = await watcher.announced(publisher.identity, "pose")
    assert {key: announced.fields[key] for key in described} == described


async def test_browsers_take_no_notice_of_schemas(join: Join) -> None:
    publisher, watcher = ours(await join("rs", "publisher")), await join("js", "watcher")
    await publisher.publish("pose", frame_encoding=7, schema={"name": "pose", "encoding": 7})
    await watcher.watch(publisher.identity, "pose")
    await flowing(publisher, watcher, "pose")


@pytest.fixture
async def far(server: Server) -> AsyncIterator[str]:
    """A URL of the server at which answers take a moment.

    livekit 1.2.0 for Python begins to wait for the answer to a data blob's request after it has sent
    that, and misses one that is faster.
    """
    assert server.ports is not None
    async with Proxy.running(server.ports.http, delay=0.05) as proxy:
        yield proxy.url


@pytest.mark.own_server
@DESCRIBED
async def test_the_text_of_a_schema_is_fetched_by_either_side(
    join: Join, far: str, described: Described
) -> None:
    robot, python = ours(await join("rs", "robot")), await join("py", "python", url=far)
    schema = described["schema"]
    async with asyncio.timeout(ANSWER_MAX):
        await robot.store_schema(schema, TEXT)
        assert await schemas(python).fetch(robot.identity, schema) == TEXT
        await schemas(python).publish("pose", described)
        await schemas(python).store(schema, TEXT + "// python")
    await robot.announced(python.identity, "pose")
    assert await robot.fetch_schema(python.identity, "pose") == TEXT + "// python"


@pytest.mark.own_server
async def test_a_schema_that_nobody_stored_is_refused_on_either_side(join: Join, far: str) -> None:
    robot, python = ours(await join("rs", "robot")), await join("py", "python", url=far)
    described = {"frame_encoding": 7, "schema": {"name": "nowhere", "encoding": 7}}
    async with asyncio.timeout(ANSWER_MAX):
        with pytest.raises(Refused, match="NotFound"):
            await schemas(python).fetch(robot.identity, described["schema"])
        await schemas(python).publish("pose", described)
    await robot.announced(python.identity, "pose")
    with pytest.raises(Refused, match="NotFound"):
        await robot.fetch_schema(python.identity, "pose")
