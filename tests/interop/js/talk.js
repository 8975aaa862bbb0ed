// Packets, streams, RPC and shared state, as livekit-client and rtc-node have them in common.

import { inspect, make } from "./payload.js";

export const TOPIC = "interop";
const TEXT_SHOWN_MAX = 1_000;
const PROGRESS_STEP = 0.1;

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256(bytes) {
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

function random(size) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Talk {
  // `dialect` has what the two libraries call by different names.
  constructor(room, dialect, record) {
    this.room = room;
    this.dialect = dialect;
    this.record = record;
    // What is examined at the same time is still reported in the order of its arrival.
    this.last = Promise.resolve();
    this.listen();
  }

  listen() {
    const { room, record } = this;
    room.on("dataReceived", (payload, from, kind, topic) => {
      this.last = this.last.then(async () => this.packet(payload, from?.identity ?? "", kind, topic));
    });
    const changed = (kind, who) => record(kind, { identity: who.identity, ...this.described(who) });
    room.on("participantAttributesChanged", (_, who) => changed("attributes_changed", who));
    room.on("participantMetadataChanged", (_, who) => changed("metadata_changed", who));
    room.on("participantNameChanged", (_, who) => changed("name_changed", who));
    room.on("participantPermissionsChanged", (_, who) => changed("permissions_changed", who));
    room.on("roomMetadataChanged", (metadata) => record("room_metadata_changed", { metadata }));
    room.registerTextStreamHandler(TOPIC, (reader, from) => this.readText(reader, from.identity));
    room.registerByteStreamHandler(TOPIC, (reader, from) => this.readBytes(reader, from.identity));
  }

  // Registers what others may call; the payload says what is to become of the call.
  serve() {
    const on = (method, handler) => this.dialect.register(method, handler);
    on("echo", async ({ payload }) => payload);
    on("caller", async ({ callerIdentity }) => callerIdentity);
    on("repeat", async ({ payload }) => "x".repeat(Number(payload)));
    on("never", () => new Promise(() => {}));
    on("crash", async () => {
      throw new Error("nobody is told this");
    });
    on("fail", async ({ payload }) => {
      const { code, message, data } = JSON.parse(payload);
      throw new this.dialect.RpcError(code, message, data ?? undefined);
    });
  }

  async packet(payload, from, kind, topic) {
    const reliable = kind === this.dialect.RELIABLE;
    this.record("packet", { from, reliable, topic: topic ?? "", ...(await inspect(payload)) });
  }

  async sendPackets({ topic, first, count, size, reliable, to, pace }) {
    for (let sequence = first; sequence < first + count; sequence += 1) {
      await this.dialect.publish(await make(sequence, size), { reliable, topic, to });
      if (pace) await pause(pace);
    }
  }

  options({ topic, to, attributes }) {
    return { topic, attributes, destinationIdentities: to.length ? to : undefined };
  }

  async sendText({ text, ...about }) {
    await this.room.localParticipant.sendText(text, this.options(about));
  }

  async streamText({ pieces, ...about }) {
    const writer = await this.room.localParticipant.streamText(this.options(about));
    for (const piece of pieces) await writer.write(piece);
    await writer.close();
  }

  async sendFile({ size, ...about }) {
    const bytes = random(size);
    const progress = [];
    const onProgress = (done) => progress.push(done);
    await this.dialect.sendFile(bytes, { ...this.options(about), onProgress });
    return { sha256: await sha256(bytes), progress };
  }

  async readText(reader, from) {
    const { topic, attributes, size, totalSize } = reader.info;
    this.record("stream_opened", { from });
    let text = "";
    let error = null;
    try {
      for await (const piece of reader) text += piece;
    } catch (failure) {
      error = failure.message;
    }
    const bytes = new TextEncoder().encode(text);
    const shown = text.length <= TEXT_SHOWN_MAX ? text : null;
    const about = { from, topic, attributes: attributes ?? {}, total: size ?? totalSize ?? null, error };
    this.record("text", { ...about, text: shown, size: bytes.length, sha256: await sha256(bytes) });
  }

  async readBytes(reader, from) {
    const { name, topic, size, totalSize } = reader.info;
    this.record("stream_opened", { from });
    const progress = [];
    const chunks = [];
    let told = 0;
    reader.onProgress = (done) => {
      progress.push(done);
      if (done >= told + PROGRESS_STEP) this.record("progress", { from, done: (told = done) });
    };
    let error = null;
    try {
      for await (const chunk of reader) chunks.push(chunk);
    } catch (failure) {
      error = failure.message;
    }
    const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
    const about = { from, topic, name, total: size ?? totalSize ?? null, progress, error };
    this.record("bytes", { ...about, size: bytes.length, sha256: await sha256(bytes) });
  }

  // An error of the call is its result: errors of this program are told apart from it.
  async rpc({ to, method, payload, timeout }) {
    const call = { destinationIdentity: to, method, payload, responseTimeout: timeout };
    try {
      return { payload: await this.room.localParticipant.performRpc(call) };
    } catch (error) {
      if (!(error instanceof this.dialect.RpcError)) throw error;
      return { code: error.code, message: error.message, data: error.data ?? "" };
    }
  }

  async setAttributes({ attributes }) {
    await this.room.localParticipant.setAttributes(attributes);
  }

  async setMetadata({ metadata }) {
    await this.dialect.setMetadata(metadata);
  }

  async setName({ name }) {
    await this.dialect.setName(name);
  }

  described(who) {
    const { name, metadata, attributes } = who;
    const publishes = this.dialect.canPublishData(who);
    return { name: name ?? "", metadata: metadata ?? "", attributes: { ...attributes }, publishes };
  }

  // What is known of a participant, oneself too.
  profile({ identity }) {
    const { localParticipant, remoteParticipants } = this.room;
    return this.described(identity === localParticipant.identity ? localParticipant : remoteParticipants.get(identity));
  }
}
