// The page: who is here, what they publish, and how well it arrives.

import { Room } from "./room.js";
import { Pictures, poseAt } from "./scene.js";

const PICTURES_PER_SECOND = 30;
const TELEMETRY_PER_SECOND = 50;
const TRACE_POINTS = 200;
const element = (id) => document.getElementById(id);

const query = new URLSearchParams(location.search);
const roomName = query.get("room") ?? "demo";
const identity = query.get("identity") ?? `tab-${Math.random().toString(36).slice(2, 7)}`;
const tiles = new Map();
let room;

async function start() {
  element("room").value = roomName;
  const answer = await fetch(`token?${new URLSearchParams({ room: roomName, identity })}`);
  if (!answer.ok) throw new Error(await answer.text());
  const url = location.origin.replace(/^http/, "ws");
  room = new Room(url, (await answer.json()).token);
  room.addEventListener("state", ({ detail }) => showState(detail));
  room.addEventListener("changed", showParticipants);
  room.addEventListener("changed", showRooms);
  room.addEventListener("frame", ({ detail }) => tiles.get(detail.sid)?.frame(detail));
  await room.connect();
  addEventListener("pagehide", () => room.leave());
  element("publish").onclick = publish;
  setInterval(() => tiles.forEach((tile) => tile.showFigures()), 500);
  setInterval(showRooms, 2000);
  showRooms();
  if (query.has("publish")) await publish();
}

function showState(state) {
  element("state").textContent = state;
  element("state").className = state;
}

async function publish() {
  element("publish").disabled = true;
  const pictures = new Pictures();
  const camera = await room.publish("camera");
  const telemetry = await room.publish("telemetry");
  element("camera").hidden = !navigator.mediaDevices;
  element("camera").onclick = () => pictures.useCamera().then(() => (element("camera").hidden = true), (error) => alert(`The camera cannot be used: ${error.message}`));
  element("hint").hidden = true;
  element("publish").textContent = `Publishing as ${identity}`;
  every(1000 / TELEMETRY_PER_SECOND, () => {
    const pose = poseAt(Date.now());
    telemetry.push(new TextEncoder().encode(JSON.stringify(pose)), pose.t);
  });
  every(1000 / PICTURES_PER_SECOND, async () => {
    const pose = poseAt(Date.now());
    camera.push(await pictures.next(pose), pose.t);
    const { pushed, dropped } = camera.stats;
    element("pushed").textContent = `${pushed} pictures sent, ${dropped} dropped before sending`;
  });
}

/** Runs a task on a steady grid, never two at once; a late one is skipped, not made up for. */
function every(milliseconds, task) {
  let busy = false;
  setInterval(async () => {
    if (busy) return;
    busy = true;
    try {
      await task();
    } finally {
      busy = false;
    }
  }, milliseconds);
}

function showParticipants() {
  const others = [...room.participants.values()];
  element("participants").replaceChildren(entry(`${identity} (this tab)`, []), ...others.map((other) => entry(other.identity, [...other.tracks.values()].map(({ name }) => name))));
  const current = new Map(others.flatMap((other) => [...other.tracks.values()].map((track) => [track.sid, { track, other }])));
  for (const [sid, tile] of tiles) if (!current.has(sid)) remove(sid, tile);
  for (const [sid, { track, other }] of current) if (!tiles.has(sid)) add(sid, track, other);
}

function add(sid, track, participant) {
  const tile = new Tile(`${participant.identity} / ${track.name}`, () => room.subscriptions.get(sid)?.reassembler.dropped ?? 0);
  tiles.set(sid, tile);
  element("tiles").append(tile.root);
  element("hint").hidden = true;
  room.subscribe(sid);
}

function remove(sid, tile) {
  tiles.delete(sid);
  tile.root.remove();
  room.unsubscribe(sid);
}

async function showRooms() {
  const answer = await fetch("rooms").catch(() => undefined);
  if (!answer?.ok) return;
  const { rooms } = await answer.json();
  element("rooms").replaceChildren(...rooms.map(({ name, participants }) => entry(name, participants.map((participant) => `${participant.identity}: ${participant.tracks.length} tracks`))));
}

function entry(text, children) {
  const item = document.createElement("li");
  item.append(text);
  if (children.length > 0) {
    const list = document.createElement("ul");
    list.append(...children.map((child) => entry(child, [])));
    item.append(list);
  }
  return item;
}

/** What others send may be anything. */
function number(value) {
  return Number.isFinite(value) ? value : 0;
}

/** One subscribed track: its pictures or its values, and figures about its arrival. */
class Tile {
  root = document.createElement("article");
  #canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  #figures = {};
  #dropped;
  #arrivals = [];
  #latencies = [];
  #trace = [];
  #bytes = 0;

  constructor(title, dropped) {
    this.#dropped = dropped;
    this.root.className = "tile";
    const heading = document.createElement("header");
    heading.append(title);
    const list = document.createElement("dl");
    for (const name of ["frames/s", "latency", "dropped", "kbit/s"]) {
      const box = document.createElement("div");
      this.#figures[name] = document.createElement("dd");
      this.#figures[name].dataset.figure = name;
      box.append(Object.assign(document.createElement("dt"), { textContent: name }), this.#figures[name]);
      list.append(box);
    }
    this.root.append(heading, this.#canvas, list);
  }

  async frame({ payload, capturedAt }) {
    const now = Date.now();
    this.#arrivals.push(now);
    this.#bytes += payload.size;
    if (capturedAt !== undefined) this.#latencies.push(now - capturedAt);
    const start = new Uint8Array(await payload.slice(0, 2).arrayBuffer());
    if (start[0] === 0xff && start[1] === 0xd8) await this.#drawPicture(payload);
    else this.#drawValues(await payload.text());
  }

  showFigures() {
    const now = Date.now();
    const elapsed = this.#arrivals.length > 0 ? Math.max(now - this.#arrivals[0], 1) : 1;
    const median = this.#latencies.sort((a, b) => a - b)[this.#latencies.length >> 1];
    this.#figures["frames/s"].textContent = ((this.#arrivals.length * 1000) / elapsed).toFixed(0);
    this.#figures.latency.textContent = median === undefined ? "–" : `${median} ms`;
    this.#figures.dropped.textContent = this.#dropped();
    this.#figures["kbit/s"].textContent = ((this.#bytes * 8) / elapsed).toFixed(0);
    this.#arrivals = [];
    this.#latencies = [];
    this.#bytes = 0;
  }

  async #drawPicture(blob) {
    const picture = await createImageBitmap(blob);
    this.#canvas.getContext("2d").drawImage(picture, 0, 0, this.#canvas.width, this.#canvas.height);
    picture.close();
  }

  #drawValues(text) {
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    if (typeof value !== "object" || value === null) return; // Not ours: of some other track's frames only the figures are shown.
    this.#trace.push(value);
    if (this.#trace.length > TRACE_POINTS) this.#trace.shift();
    const context = this.#canvas.getContext("2d");
    const { width, height } = this.#canvas;
    context.fillStyle = "#10151c";
    context.fillRect(0, 0, width, height);
    for (const [name, colour] of [["x", "#5ad1a0"], ["y", "#6cb6ff"], ["speed", "#ffb454"]]) {
      context.strokeStyle = colour;
      context.lineWidth = 3;
      context.beginPath();
      this.#trace.forEach((point, index) => context.lineTo((index / TRACE_POINTS) * width, height / 2 - number(point[name]) * height * 0.28));
      context.stroke();
    }
    context.fillStyle = "#e6edf3";
    context.font = "18px ui-monospace, monospace";
    context.fillText(["x", "y", "speed"].map((name) => `${name} ${number(value[name]).toFixed(2)}`).join("   "), 16, height - 18);
  }
}

start().catch((error) => showState(`failed: ${error.message}`));
