"""The demo page, as somebody sees it who opens it in two tabs."""

from pathlib import Path

import pytest

from harness.node import Node
from harness.report import Report
from harness.server import developing

pytestmark = pytest.mark.own_server
CONNECTED = "document.getElementById('state').textContent === 'connected'"
REJOINING = "document.getElementById('state').textContent.startsWith('rejoining')"
FIGURES = """Array.from(document.querySelectorAll("dd"),
    (each) => `${each.dataset.figure} ${each.textContent}`).join(", ")"""
RATES = """((rates) => rates.length === 2 && rates.every((each) => parseFloat(each.textContent) > 10))(
    Array.from(document.querySelectorAll('dd[data-figure="frames/s"]')))"""
PATIENCE_MS = 15_000


async def test_two_tabs_show_a_stream(tmp_path: Path, browser: Node, artifacts: Path, report: Report) -> None:
    async with developing(tmp_path) as server:
        await browser.call("open", "viewer", f"{server.http_url}/demo/?identity=viewer")
        await browser.call("open", "robot", f"{server.http_url}/demo/?identity=robot&publish=1")
        try:
            for tab in ("viewer", "robot"):
                await browser.call("until", tab, CONNECTED, PATIENCE_MS)
            await browser.call("until", "viewer", RATES, PATIENCE_MS)
            figures = await browser.call("evaluate", "viewer", FIGURES)
            await browser.call("screenshot", "viewer", str(artifacts / "demo.png"))
        finally:
            for tab in ("robot", "viewer"):
                await browser.call("close", tab)
    report.figure("demo page in Chromium, camera and telemetry", figures)


async def test_a_tab_joins_and_publishes_again_after_a_restart(tmp_path: Path, browser: Node) -> None:
    async with developing(tmp_path) as server:
        tabs = ("viewer", "robot")
        await browser.call("open", "viewer", f"{server.http_url}/demo/?identity=viewer")
        await browser.call("open", "robot", f"{server.http_url}/demo/?identity=robot&publish=1")
        try:
            await browser.call("until", "viewer", RATES, PATIENCE_MS)
            server.terminate()
            assert await server.ended(PATIENCE_MS / 1000) == 0
            for tab in tabs:
                await browser.call("until", tab, REJOINING, PATIENCE_MS)
            await server.start()
            for tab in tabs:
                await browser.call("until", tab, CONNECTED, 2 * PATIENCE_MS)
            await browser.call("until", "viewer", RATES, PATIENCE_MS)
        finally:
            for tab in tabs:
                await browser.call("close", tab)


async def test_a_refusal_is_shown_and_names_stay_within_themselves(tmp_path: Path, browser: Node) -> None:
    async with developing(tmp_path) as server:
        await browser.call("open", "long", f"{server.http_url}/demo/?identity={'x' * 300}")
        await browser.call("open", "turned", f"{server.http_url}/demo/?identity=%E2%80%AEtobor")
        try:
            refused = "document.getElementById('state').textContent.startsWith('failed: the server refused')"
            await browser.call("until", "long", refused, PATIENCE_MS)
            why = await browser.call("evaluate", "long", "document.getElementById('state').textContent")
            assert "identity" in why
            await browser.call("until", "turned", "document.querySelector('#participants bdi')", PATIENCE_MS)
            style = "getComputedStyle(document.querySelector('#participants bdi')).unicodeBidi"
            assert await browser.call("evaluate", "turned", style) == "isolate"
        finally:
            for tab in ("long", "turned"):
                await browser.call("close", tab)
