"""Fixtures: the server, the browser, participants that leave when their test ends, and the report."""

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from harness.browser_client import BrowserClient
from harness.client import Client, Joining
from harness.keys import Keys
from harness.node import Node
from harness.python_client import PythonClient
from harness.python_talker import PythonTalker
from harness.report import Report
from harness.rust_client import RustClient
from harness.script_talkers import BrowserTalker, NodeTalker, RustTalker
from harness.server import PEER, ROOT, Server, serving
from harness.talk import Talker
from harness.tokens import Login

ARTIFACTS = ROOT / "artifacts"
REPORT = Report()
FOREIGN_URL = os.environ.get("INTEROP_URL")

Join = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="session")
def report() -> Report:
    """Where figures go."""
    return REPORT


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where files for people go."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest.fixture(scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """The server of most tests: ours, or the one that `INTEROP_URL` names."""
    if FOREIGN_URL:
        yield Server(FOREIGN_URL, Login(os.environ["INTEROP_KEY"], os.environ["INTEROP_SECRET"]))
        return
    async with serving(tmp_path_factory.mktemp("server")) as ours:
        yield ours


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Node]:
    """The one Chromium."""
    async with Node.running("browser.js") as node:
        yield node


@pytest.fixture(scope="session")
async def peer() -> AsyncIterator[Node]:
    """The one process of our own client."""
    async with Node.program(PEER) as node:
        yield node


@pytest.fixture(scope="session")
async def rtc_node() -> AsyncIterator[Node]:
    """The one process of `@livekit/rtc-node`."""
    async with Node.running("rtc_node.js") as node:
        yield node


@pytest.fixture(scope="session")
async def server_sdk() -> AsyncIterator[Node]:
    """The one process of `livekit-server-sdk`."""
    async with Node.running("server_sdk.js") as node:
        yield node


@pytest.fixture(scope="session")
def talker(browser: Node, rtc_node: Node, peer: Node) -> Callable[[str, str], Talker]:
    """Makes talkers that have not joined yet, and whose maker closes them: `talker("node", "alice")`."""

    def build(kind: str, name: str) -> Talker:
        identity = f"{name}-{uuid.uuid4().hex[:6]}"
        match kind:
            case "py":
                return PythonTalker(identity)
            case "js":
                return BrowserTalker(identity, browser)
            case "node":
                return NodeTalker(identity, rtc_node)
            case "rs":
                return RustTalker(identity, peer)
        raise AssertionError(f"no client is called {kind}")

    return build


@pytest.fixture
def room() -> str:
    """A room of the test's own."""
    return f"room-{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def make(browser: Node, peer: Node) -> AsyncIterator[Callable[[str, str], Client]]:
    """Makes clients that have not joined yet: `make("py", "alice")`."""
    made: list[Client] = []

    def build(kind: str, name: str) -> Client:
        # Identities are unique over all tests, for the browser tells its participants apart by them.
        identity = f"{name}-{uuid.uuid4().hex[:6]}"
        client: Client
        match kind:
            case "py":
                client = PythonClient(identity)
            case "js":
                client = BrowserClient(identity, browser)
            case "rs":
                client = RustClient(identity, peer)
        made.append(client)
        return client

    yield build
    for client in made:
        await client.close()


@pytest.fixture
def join(server: Server, room: str, make: Callable[[str, str], Client]) -> Join:
    """Joins the room of the test: `await join("js", "bob", single=False, can_subscribe=False)`."""

    async def enter(
        kind: str,
        name: str,
        *,
        at: Server = server,
        url: str = "",
        single: bool = True,
        keys: Keys | None = None,
        **grants: object,
    ) -> Client:
        client = make(kind, name)
        token = at.login.token(client.identity, room, **grants)
        await client.connect(Joining(url or at.url, token, single, keys=keys))
        return client

    return enter


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "own_server: needs a server of its own, so no foreign one")
    config.addinivalue_line(
        "markers", "case(title, row, name): a cell of a table, in the row of that parameter"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A server of somebody else is neither configured nor stopped."""
    if FOREIGN_URL:
        for item in items:
            if item.get_closest_marker("own_server"):
                item.add_marker(pytest.mark.skip(reason="INTEROP_URL names a server that is not ours"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Keeps what becomes of a case."""
    found = yield
    case = item.get_closest_marker("case")
    if case and (found.when == "call" or found.failed):
        title, parameter, name = case.args
        table, row = REPORT.cases(title), str(item.callspec.params[parameter])
        if found.failed:
            table.failed(row, name)
        elif getattr(found, "wasxfail", None):
            table.known(row, name, found.wasxfail)
        elif found.passed:
            table.passed(row, name)
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes hands its figures to the one that collects them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["report"] = REPORT.packed()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    """The process that collects figures takes those of another, unless that has died."""
    if packed := getattr(node, "workeroutput", {}).get("report"):
        REPORT.merge(packed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the figures, and keeps them as Markdown."""
    if REPORT.is_empty():
        return
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / "interop.md"
    path.write_text(REPORT.markdown())
    terminalreporter.section("figures")
    terminalreporter.write(REPORT.markdown())
    terminalreporter.write_line(f"written to {path}")
