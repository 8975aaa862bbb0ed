"""The demo page, as somebody sees it who opens it in two tabs."""

from pathlib import Path

import pytest

from harness.node import Node
from harness.report import Report
from harness.server import developing

pytestmark = pytest.mark.own_server
CONNECTED = "document.getElementById('state').textContent === 'connected'"
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
