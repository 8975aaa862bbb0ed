// One Chromium for all tests: livekit-client in a page served on loopback, and other pages to look at.

import { createServer } from "node:http";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { serve, write } from "./lines.js";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--disable-component-update",
  "--disable-sync",
];

async function bundle() {
  const result = await build({
    entryPoints: [fileURLToPath(new URL("page.js", import.meta.url))],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return result.outputFiles[0].contents;
}

async function servePage() {
  const script = await bundle();
  const worker = await readFile(new URL("../node_modules/livekit-client/dist/livekit-client.e2ee.worker.mjs", import.meta.url));
  const scripts = { "/page.js": script, "/worker.js": worker };
  const html = '<!doctype html><meta charset="utf-8"><title>interop</title><script type="module" src="/page.js"></script>';
  const server = createServer((request, response) => {
    const found = scripts[request.url];
    response.setHeader("content-type", found ? "text/javascript" : "text/html");
    response.end(found ?? html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function watched(page, name) {
  page.on("pageerror", (error) => process.stderr.write(`${name}: ${error.message}\n`));
  return page;
}

const files = await servePage();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: FLAGS,
});
const context = await browser.newContext({ viewport: { width: 1280, height: 760 } });
const page = watched(await context.newPage(), "clients");
await page.exposeFunction("report", (events) => events.forEach(write));
await page.goto(`http://127.0.0.1:${files.address().port}/`);
await page.waitForFunction(() => window.interop !== undefined, null, { timeout: 15_000 });

const tabs = new Map();

const browsing = {
  async open(name, url) {
    const tab = watched(await context.newPage(), name);
    tabs.set(name, tab);
    await tab.goto(url);
  },
  // Waits until the expression holds in the tab.
  async until(name, expression, timeout) {
    await tabs.get(name).waitForFunction(expression, null, { timeout });
  },
  evaluate: (name, expression) => tabs.get(name).evaluate(expression),
  screenshot: (name, path) => tabs.get(name).screenshot({ path }),
  close: (name) => tabs.get(name).close(),
};

write({ event: "ready" });
await serve(async (method, args) => {
  if (method === "member") {
    return page.evaluate(([identity, what, rest]) => window.interop(identity, what, rest), args);
  }
  return { value: (await browsing[method](...args)) ?? null };
});
await browser.close();
files.close();
