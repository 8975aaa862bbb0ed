// livekit-client in a page: every participant of the tests is a Room here, told what to do from outside.

import { whileTcpOnly } from "./tcp_only.js";
import { Keys } from "./keys.js";
import {
  ConnectionError,
  ConnectionErrorReason,
  DataPacket_Kind,
  DisconnectReason,
  Room,
  RoomEvent,
  RpcError,
  setLogLevel,
} from "livekit-client";
import { inspect, make } from "./payload.js";
import { Talk } from "./talk.js";

setLogLevel("silent");

const members = new Map();

// Events of one turn go in one message: each costs as much as the library's own work for a track.
let untold = [];
const turn = new MessageChannel();
turn.port1.onmessage = tell;

function tell() {
  if (untold.length > 0) window.report(untold);
  untold = [];
}

const wallMs = () => performance.timeOrigin + performance.now();

// What livekit-client calls by a name of its own.
function dialect(room) {
  return {
    RELIABLE: DataPacket_Kind.RELIABLE,
    RpcError,
    register: (method, handler) => room.registerRpcMethod(method, handler),
    publish: (payload, { reliable, topic, to }) =>
      room.localParticipant.publishData(payload, { reliable, topic, destinationIdentities: to }),
    sendFile: (bytes, options) => room.localParticipant.sendFile(new File([bytes], "blob.bin"), options),
    setMetadata: (metadata) => room.localParticipant.setMetadata(metadata),
    setName: (name) => room.localParticipant.setName(name),
    canPublishData: (who) => who.permissions?.canPublishData ?? null,
  };
}

class Member {
  constructor(identity) {
    this.identity = identity;
    this.local = new Map();
    this.remote = new Map();
    this.readers = new Map();
  }

  record(kind, fields = {}) {
    if (untold.push({ event: kind, identity: this.identity, fields }) === 1) turn.port2.postMessage(null);
  }

  async connect(url, token, { single, tcpOnly, keys }) {
    this.keys = keys && (await Keys.made(keys));
    this.room = new Room({ singlePeerConnection: single, encryption: this.keys?.encryption() });
    this.listen();
    this.talking = new Talk(this.room, dialect(this.room), (kind, fields) => this.record(kind, fields));
    this.talking.serve();
    const encrypted = this.keys?.used(this.room);
    await whileTcpOnly(tcpOnly, () => this.room.connect(url, token));
    await encrypted;
  }

  talk(what, about) {
    return this.talking[what](about);
  }

  changeKey(change) {
    return this.keys.change(change);
  }

  listen() {
    const { room } = this;
    const on = (event, kind, fields) => room.on(event, (...args) => this.record(kind, fields?.(...args)));
    // A resume that needs no new peer connections is told by another event than one that does.
    on(RoomEvent.SignalReconnecting, "reconnecting");
    on(RoomEvent.Reconnecting, "reconnecting");
    on(RoomEvent.Reconnected, "reconnected");
    on(RoomEvent.Disconnected, "disconnected", (reason) => ({ reason: DisconnectReason[reason] ?? null }));
    on(RoomEvent.ParticipantConnected, "participant_connected", (who) => ({ identity: who.identity }));
    on(RoomEvent.ParticipantDisconnected, "participant_disconnected", (who) => ({ identity: who.identity }));
    on(RoomEvent.DataTrackUnpublished, "track_unpublished", (sid) => ({ sid }));
    on(RoomEvent.LocalDataTrackUnpublished, "local_unpublished", (sid) => ({ sid }));
    room.on(RoomEvent.DataTrackPublished, (track) => {
      const { name, sid } = track.info;
      this.remote.set(`${track.publisherIdentity}/${name}`, track);
      this.record("track_published", { publisher: track.publisherIdentity, name, sid });
    });
  }

  async publish(name) {
    const track = await this.room.localParticipant.publishDataTrack({ name });
    this.local.set(name, track);
    return track.info.sid;
  }

  async publishAll(names, inFlight) {
    const waiting = names.values();
    const publish = async () => {
      for (const name of waiting) await this.publish(name);
    };
    await Promise.all(Array.from({ length: inFlight }, publish));
  }

  async push(name, sequence, size, timestamp) {
    const payload = await make(sequence, size);
    const userTimestamp = timestamp === null ? undefined : BigInt(timestamp);
    const atMs = wallMs();
    await this.local.get(name).tryPush({ payload, userTimestamp });
    return atMs;
  }

  flush(name) {
    return this.local.get(name).flush();
  }

  unpublish(name) {
    return this.local.get(name).unpublish();
  }

  isPublished(name) {
    return this.local.get(name).isPublished();
  }

  subscribe(publisher, name) {
    const abort = new AbortController();
    const key = `${publisher}/${name}`;
    this.readers.get(key)?.abort();
    this.readers.set(key, abort);
    this.read(this.remote.get(key).subscribe({ signal: abort.signal }), publisher, name);
  }

  subscribeAll(publisher, names) {
    for (const name of names) this.subscribe(publisher, name);
  }

  async read(stream, publisher, name) {
    let error = null;
    try {
      const reader = stream.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const atMs = wallMs();
        const seen = await inspect(next.value.payload);
        const { userTimestamp } = next.value;
        const timestamp = userTimestamp === undefined ? null : Number(userTimestamp);
        this.record("frame", { publisher, name, at_ms: atMs, timestamp, ...seen });
      }
    } catch (failure) {
      error = failure.message;
    }
    this.record("subscription_ended", { publisher, name, error });
  }

  unsubscribe(publisher, name) {
    this.readers.get(`${publisher}/${name}`).abort();
  }

  sid() {
    return this.room.localParticipant.sid;
  }

  participants() {
    return [...this.room.remoteParticipants.keys()];
  }

  async reconnect(full) {
    await this.room.simulateScenario(full ? "full-reconnect" : "signal-reconnect");
  }

  // The ICE user fragment of the connection that this participant publishes on.
  iceFragment() {
    const { sdp } = this.room.engine.pcManager.publisher.getLocalDescription();
    return /^a=ice-ufrag:(.+)$/m.exec(sdp)[1];
  }

  // The transport of the candidate pair in use, "udp" or "tcp".
  async transport() {
    const stats = await this.room.engine.pcManager.publisher.getStats();
    const pairs = [...stats.values()].filter((entry) => entry.type === "candidate-pair" && entry.nominated);
    return stats.get(pairs[0].localCandidateId).protocol;
  }

  async close() {
    await this.room?.disconnect();
    this.keys?.close();
  }
}

function inWords(error) {
  // The library changes the reason of a connection's error after it has put it into words.
  const connecting = error instanceof ConnectionError;
  const reason = connecting ? ConnectionErrorReason[error.reason] : (error.reasonName ?? error.name);
  return { error: { reason, message: error.message } };
}

window.interop = async (identity, method, args) => {
  if (!members.has(identity)) members.set(identity, new Member(identity));
  try {
    const value = await members.get(identity)[method](...args);
    if (method === "close") members.delete(identity);
    return { value: value ?? null };
  } catch (error) {
    return inWords(error);
  } finally {
    // An answer never overtakes what happened before it.
    tell();
  }
};
