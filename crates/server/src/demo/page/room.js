// A minimal client: signalling as JSON over a WebSocket, one peer connection each way, data tracks.

import { Packetizer, Reassembler, parse } from "./packet.js";

const CHANNELS = [
  ["_reliable", { ordered: true }],
  ["_lossy", { ordered: false, maxRetransmits: 0 }],
  ["_data_track", { ordered: false, maxRetransmits: 0 }],
];
/** A frame is dropped whole while more than this waits in the browser. */
const WAITING_BYTES_MAX = 256 * 1024;
const RESUME_DELAYS_MS = [0, 300, 1200, 2700, 4800, 7000];

/**
 * A room. Events: `state` (detail: text), `changed` (participants or tracks), `frame`
 * (detail: { track, payload, capturedAt }).
 */
export class Room extends EventTarget {
  /** identity → { identity, sid, state, tracks: Map(sid → { sid, name }) } of everyone else. */
  participants = new Map();
  /** sid → what is known of a subscribed track. */
  subscriptions = new Map();
  state = "connecting";
  /** Why it has ended may be over by now: joining anew is worth a try. */
  again = false;

  #url;
  #token;
  #self;
  #socket;
  #publisher;
  #subscriber;
  #dataTrack;
  #byHandle = new Map();
  #published = new Map();
  #nextHandle = 1;
  #ping;
  #leaving = false;
  #attempt = 0;

  constructor(url, token) {
    super();
    this.#url = url;
    this.#token = token;
  }

  /** Joins; the promise is fulfilled once data can be published. */
  async connect() {
    this.#open({});
    await this.#until(() => this.state === "connected", 15_000, "the server did not let us in within 15 s");
  }

  /** Publishes a data track; frames are given to the returned track's `push`. */
  async publish(name) {
    const handle = this.#nextHandle;
    this.#nextHandle += 1;
    const track = { handle, name, sid: undefined, error: undefined, pushed: 0, dropped: 0, packetizer: new Packetizer(handle) };
    this.#published.set(handle, track);
    this.#send({ publishDataTrackRequest: { pubHandle: handle, name } });
    await this.#until(() => track.sid ?? track.error, 10_000, `publishing ${name} was not answered within 10 s`);
    if (track.error) throw new Error(`publishing ${name} was refused: ${track.error}`);
    return { push: (payload, capturedAt) => this.#push(track, payload, capturedAt), stats: track, unpublish: () => this.#unpublish(track) };
  }

  /** Asks for a track's frames. */
  subscribe(sid) {
    if (this.subscriptions.has(sid)) return;
    this.subscriptions.set(sid, { sid, reassembler: new Reassembler() });
    this.#send({ updateDataSubscription: { updates: [{ trackSid: sid, subscribe: true }] } });
  }

  /** No longer asks for a track's frames. */
  unsubscribe(sid) {
    if (!this.subscriptions.delete(sid)) return;
    this.#send({ updateDataSubscription: { updates: [{ trackSid: sid, subscribe: false }] } });
  }

  /** Ends the session. */
  leave() {
    this.#leaving = true;
    this.#send({ leave: { reason: "CLIENT_INITIATED", action: "DISCONNECT" } });
    this.#end("left");
  }

  #query(extra) {
    return new URLSearchParams({ access_token: this.#token, encoding: "json", protocol: "17", sdk: "js", auto_subscribe: "1", ...extra });
  }

  #open(extra) {
    const socket = new WebSocket(`${this.#url}/rtc?${this.#query(extra)}`);
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = () => this.#lost(socket);
  }

  #send(request) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request));
  }

  #receive(message) {
    const [arm, value] = Object.entries(message)[0] ?? [];
    const handlers = {
      join: () => this.#joined(value),
      reconnect: () => this.#resumed(),
      offer: () => this.#answer(value),
      answer: () => this.#publisher.setRemoteDescription({ type: "answer", sdp: value.sdp }),
      trickle: () => this.#candidate(value),
      update: () => this.#update(value.participants ?? []),
      publishDataTrackResponse: () => this.#setPublished(value.info),
      requestResponse: () => this.#refused(value),
      dataTrackSubscriberHandles: () => this.#setHandles(value.subHandles ?? {}),
      refreshToken: () => (this.#token = value),
      leave: () => this.#told(value),
    };
    Promise.resolve(handlers[arm]?.()).catch((error) => this.#end(`failed: ${error.message}`));
  }

  async #joined(join) {
    this.#self = join.participant;
    this.#attempt = 0;
    this.#startPings(join.pingInterval ?? 5);
    this.#update(join.otherParticipants ?? []);
    this.#subscriber = this.#connection("SUBSCRIBER", join.iceServers);
    this.#subscriber.ondatachannel = ({ channel }) => this.#listen(channel);
    this.#publisher = this.#connection("PUBLISHER", join.iceServers);
    for (const [label, options] of CHANNELS) {
      const channel = this.#publisher.createDataChannel(label, options);
      channel.binaryType = "arraybuffer";
      if (label === "_data_track") {
        this.#dataTrack = channel;
        channel.onopen = () => this.#setState("connected");
      }
    }
    await this.#offer();
  }

  async #resumed() {
    this.#attempt = 0;
    this.#send({ syncState: { publishDataTracks: [...this.#published.values()].filter((track) => track.sid).map(({ sid, handle, name }) => ({ info: { sid, pubHandle: handle, name } })) } });
    this.#setState("connected");
    await this.#offer({ iceRestart: true });
  }

  #connection(target, servers) {
    const iceServers = (servers ?? []).map(({ urls, username, credential }) => ({ urls, username, credential }));
    const connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    connection.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) this.#send({ trickle: { candidateInit: JSON.stringify(candidate), target } });
    };
    return connection;
  }

  async #offer(options) {
    const offer = await this.#publisher.createOffer(options);
    await this.#publisher.setLocalDescription(offer);
    this.#send({ offer: { type: "offer", sdp: offer.sdp } });
  }

  async #answer({ sdp, id }) {
    await this.#subscriber.setRemoteDescription({ type: "offer", sdp });
    const answer = await this.#subscriber.createAnswer();
    await this.#subscriber.setLocalDescription(answer);
    this.#send({ answer: { type: "answer", sdp: answer.sdp, id } });
  }

  #candidate({ candidateInit, target }) {
    const connection = target === "SUBSCRIBER" ? this.#subscriber : this.#publisher;
    return connection.addIceCandidate(JSON.parse(candidateInit));
  }

  #listen(channel) {
    if (channel.label !== "_data_track") return;
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => this.#packet(data);
  }

  #packet(buffer) {
    const header = parse(buffer);
    const subscription = header && this.subscriptions.get(this.#byHandle.get(header.handle));
    const frame = subscription?.reassembler.push(header, buffer);
    if (frame) this.dispatchEvent(new CustomEvent("frame", { detail: { sid: subscription.sid, ...frame } }));
  }

  #push(track, payload, capturedAt = Date.now()) {
    if (this.#dataTrack?.readyState !== "open" || this.#dataTrack.bufferedAmount > WAITING_BYTES_MAX) {
      track.dropped += 1;
      return false;
    }
    for (const packet of track.packetizer.packets(payload, capturedAt)) this.#dataTrack.send(packet);
    track.pushed += 1;
    return true;
  }

  #unpublish(track) {
    this.#published.delete(track.handle);
    this.#send({ unpublishDataTrackRequest: { pubHandle: track.handle } });
  }

  #setPublished(info) {
    const track = this.#published.get(info.pubHandle);
    if (track) track.sid = info.sid;
    this.dispatchEvent(new Event("changed"));
  }

  #refused({ reason, message, publishDataTrack }) {
    const track = publishDataTrack && this.#published.get(publishDataTrack.pubHandle);
    if (track) track.error = message || reason;
    this.dispatchEvent(new Event("changed"));
  }

  #setHandles(handles) {
    for (const [handle, { trackSid }] of Object.entries(handles)) this.#byHandle.set(Number(handle), trackSid);
  }

  #update(participants) {
    for (const { identity, sid, state, dataTracks } of participants) {
      if (sid === this.#self?.sid) continue;
      if (state === "DISCONNECTED") this.participants.delete(identity);
      else this.participants.set(identity, { identity, sid, state, tracks: new Map((dataTracks ?? []).map((track) => [track.sid, track])) });
    }
    const known = new Set([...this.participants.values()].flatMap(({ tracks }) => [...tracks.keys()]));
    for (const sid of this.subscriptions.keys()) if (!known.has(sid)) this.subscriptions.delete(sid);
    this.dispatchEvent(new Event("changed"));
  }

  #startPings(seconds) {
    clearInterval(this.#ping);
    this.#ping = setInterval(() => this.#send({ pingReq: { timestamp: String(Date.now()) } }), seconds * 1000);
  }

  #told({ reason, action }) {
    if (action === "RESUME") return;
    this.again = action === "RECONNECT" || reason === "SERVER_SHUTDOWN";
    this.#end(`the server ended the session (${reason ?? "unknown reason"})`);
  }

  #lost(socket) {
    if (this.#leaving || socket !== this.#socket) return;
    if (!this.#self) {
      this.#explain();
      return;
    }
    const delay = RESUME_DELAYS_MS[this.#attempt];
    if (delay === undefined) {
      this.again = true;
      this.#end("the connection was lost");
      return;
    }
    this.#attempt += 1;
    this.#setState("reconnecting");
    setTimeout(() => this.#open({ reconnect: "1", sid: this.#self.sid }), delay);
  }

  /** A browser does not tell why a WebSocket was refused; the server does when it is asked. */
  async #explain() {
    const answer = await fetch(`${this.#url.replace(/^ws/, "http")}/rtc/validate?${this.#query()}`).catch(() => undefined);
    const text = await answer?.text().catch(() => undefined);
    if (this.#leaving) return;
    this.again = !answer || answer.ok || answer.status >= 500;
    this.#end(answer && !answer.ok ? `the server refused the connection: ${text}` : "the server cannot be reached or is busy");
  }

  #end(state) {
    clearInterval(this.#ping);
    this.#publisher?.close();
    this.#subscriber?.close();
    this.#leaving = true;
    this.#socket.close();
    this.#setState(state);
  }

  #setState(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #until(condition, milliseconds, failure) {
    return new Promise((fulfil, reject) => {
      const check = () => {
        if (condition()) finish(fulfil);
        else if (this.#leaving) finish(reject, new Error(this.state));
      };
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.removeEventListener("state", check);
        this.removeEventListener("changed", check);
        settle(value);
      };
      const timer = setTimeout(() => finish(reject, new Error(failure)), milliseconds);
      this.addEventListener("state", check);
      this.addEventListener("changed", check);
      check();
    });
  }
}
