// The page: who is here, what they publish, and how well it arrives.

import { Room } from "./room.js";
import { Pictures, poseAt } from "./scene.js";

const PICTURES_PER_SECOND = 30;
const TELEMETRY_PER_SECOND = 50;
const TRACE_POINTS = 200;
/** Between attempts to join anew; the last one repeats. */
const REJOIN_DELAYS_MS = [500, 1000, 2000, 4000, 8000, 15_000];
const element = (id) => document.getElementById(id);

const query = new URLSearchParams(location.search);
const roomName = query.get("room") ?? "demo";
const identity = query.get("identity") ?? `tab-${Math.random().toString(36).slice(2, 7)}`;
const tiles = new Map();
let room;
/** What this tab publishes, once it does. */
let sending;

async function start() {
  element("room").value = roomName;
  if (!(await enter())) return;
  addEventListener("pagehide", () => room.leave());
  element("publish").onclick = publish;
  setInterval(() => tiles.forEach((tile) => tile.showFigures()), 500);
  setInterval(showRooms, 2000);
  showRooms();
  if (query.has("publish")) await publish();
}

/** Joins, and joins anew when the server has been away; `false` if it lets nobody in. */
async function enter() {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await join();
      return true;
    } catch (error) {
      if (!error.again) {
        showState(`failed: ${error.message}`);
        return false;
      }
      // Not all tabs at the same time.
      const delay = REJOIN_DELAYS_MS[Math.min(attempt, REJOIN_DELAYS_MS.length - 1)] * (0.5 + Math.random() / 2);
      showState(`rejoining in ${Math.ceil(delay / 1000)} s: ${error.message}`);
      await new Promise((fulfil) => setTimeout(fulfil, delay));
    }
  }
}

async function join() {
  const next = new Room(location.origin.replace(/^http/, "ws"), await askForToken());
  let entered = false;
  const whileCurrent = (show) => (event) => next === room && show(event);
  next.addEventListener("state", whileCurrent(({ detail }) => showState(detail)));
  next.addEventListener("state", whileCurrent(() => entered && next.again && enter()));
  next.addEventListener("changed", whileCurrent(showParticipants));
  next.addEventListener("changed", whileCurrent(showRooms));
  next.addEventListener("frame", whileCurrent(({ detail }) => tiles.get(detail.sid)?.frame(detail)));
  tiles.forEach((tile, sid) => remove(sid, tile));
  room = next;
  try {
    await next.connect();
    if (sending) sending = await publishTracks();
    entered = true;
  } catch (error) {
    next.leave();
    throw Object.assign(error, { again: next.again });
  }
}

async function askForToken() {
  const answer = await fetch(`token?${new URLSearchParams({ room: roomName, identity })}`).catch(() => undefined);
  if (!answer) throw Object.assign(new Error("the server cannot be reached"), { again: true });
  if (!answer.ok) throw Object.assign(new Error(await answer.text()), { again: answer.status >= 500 });
  return (await answer.json()).token;
}

function showState(state) {
  element("state").textContent = state;
  element("state").className = state;
}

async function publish() {
  element("publish").disabled = true;
  const pictures = new Pictures();
  sending = await publishTracks();
  element("camera").hidden = !navigator.mediaDevices;
  element("camera").onclick = () => pictures.useCamera().then(() => (element("camera").hidden = true), (error) => alert(`The camera cannot be used: ${error.message}`));
  element("hint").hidden = true;
  element("publish").replaceChildren("Publishing as ", name(identity));
  every(1000 / TELEMETRY_PER_SECOND, () => {
    const pose = poseAt(Date.now());
    sending.telemetry.push(new TextEncoder().encode(JSON.stringify(pose)), pose.t);
  });
  every(1000 / PICTURES_PER_SECOND, async () => {
    const pose = poseAt(Date.now());
    const picture = await pictures.next(pose);
    sending.camera.push(picture, pose.t);
    const { pushed, dropped } = sending.camera.stats;
    element("pushed").textContent = `${pushed} pictures sent, ${dropped} dropped before sending`;
  });
}

async function publishTracks() {
  return { camera: await room.publish("camera"), telemetry: await room.publish("telemetry") };
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
  element("participants").replaceChildren(entry([name(identity), " (this tab)"], []), ...others.map((other) => entry([name(other.identity)], [...other.tracks.values()].map((track) => [name(track.name)]))));
  const current = new Map(others.flatMap((other) => [...other.tracks.values()].map((track) => [track.sid, { track, other }])));
  for (const [sid, tile] of tiles) if (!current.has(sid)) remove(sid, tile);
  for (const [sid, { track, other }] of current) if (!tiles.has(sid)) add(sid, track, other);
}

function add(sid, track, participant) {
  const tile = new Tile([name(participant.identity), " / ", name(track.name)], () => room.subscriptions.get(sid)?.reassembler.dropped ?? 0);
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
  element("rooms").replaceChildren(...rooms.map((each) => entry([name(each.name)], each.participants.map((participant) => [name(participant.identity), `: ${participant.tracks.length} tracks`]))));
}

/** What somebody has called itself: its letters' direction does not reach beyond it. */
function name(text) {
  return Object.assign(document.createElement("bdi"), { textContent: text });
}

function entry(parts, children) {
  const item = document.createElement("li");
  item.append(...parts);
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
    heading.append(...title);
    const list = document.createElement("dl");
    for (const figure of ["frames/s", "latency", "dropped", "kbit/s"]) {
      const box = document.createElement("div");
      this.#figures[figure] = document.createElement("dd");
      this.#figures[figure].dataset.figure = figure;
      box.append(Object.assign(document.createElement("dt"), { textContent: figure }), this.#figures[figure]);
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
