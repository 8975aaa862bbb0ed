// Data-track packets, version 0: cutting frames into packets and putting them together again.

const VERSION_SHIFT = 5;
const START = 0x10;
const FINAL = 0x08;
const EXTENSIONS = 0x04;
const HEADER_BYTES = 12;
const EXTENSION_TIMESTAMP = 2;
/** Length word, extension header (id, length), 8 bytes of milliseconds, 0 bytes of padding up to a multiple of 4. */
const TIMESTAMP_BLOCK_BYTES = 12;
const PACKET_BYTES_MAX = 16_000;
const PACKETS_PER_FRAME_MAX = 128;
const CLOCK_RATE_PER_MS = 90;

/** Cuts the frames of one published track into packets. */
export class Packetizer {
  #handle;
  #sequence = 0;
  #frame = 0;
  #base = Math.floor(Math.random() * 2 ** 32);

  constructor(handle) {
    this.#handle = handle;
  }

  /**
   * The packets of one frame.
   * @param {Uint8Array} payload 1 byte to about 2 MB.
   * @param {number} capturedAt Unix milliseconds, carried along so that receivers can tell the latency.
   */
  packets(payload, capturedAt) {
    const room = PACKET_BYTES_MAX - HEADER_BYTES - TIMESTAMP_BLOCK_BYTES;
    const count = Math.ceil(payload.length / room);
    if (count < 1 || count > PACKETS_PER_FRAME_MAX) {
      throw new RangeError(`a frame of ${payload.length} bytes does not fit into 1 to ${PACKETS_PER_FRAME_MAX} packets`);
    }
    const packets = [];
    for (let index = 0; index < count; index += 1) {
      const piece = payload.subarray(index * room, (index + 1) * room);
      const marks = (index === 0 ? START : 0) | (index === count - 1 ? FINAL : 0);
      packets.push(this.#packet(marks, piece, capturedAt));
      this.#sequence = (this.#sequence + 1) & 0xffff;
    }
    this.#frame = (this.#frame + 1) & 0xffff;
    return packets;
  }

  #packet(marks, piece, capturedAt) {
    const packet = new Uint8Array(HEADER_BYTES + TIMESTAMP_BLOCK_BYTES + piece.length);
    const view = new DataView(packet.buffer);
    view.setUint8(0, (0 << VERSION_SHIFT) | marks | EXTENSIONS);
    view.setUint16(2, this.#handle);
    view.setUint16(4, this.#sequence);
    view.setUint16(6, this.#frame);
    view.setUint32(8, (this.#base + Math.round(capturedAt * CLOCK_RATE_PER_MS)) % 2 ** 32);
    view.setUint16(12, TIMESTAMP_BLOCK_BYTES / 4 - 1);
    view.setUint8(14, EXTENSION_TIMESTAMP);
    view.setUint8(15, 8);
    view.setBigUint64(16, BigInt(Math.round(capturedAt)));
    packet.set(piece, HEADER_BYTES + TIMESTAMP_BLOCK_BYTES);
    return packet;
  }
}

/** Reads a packet's header; `undefined` if it is none. */
export function parse(buffer) {
  const view = new DataView(buffer);
  if (view.byteLength < HEADER_BYTES || view.getUint8(0) >> VERSION_SHIFT !== 0) return undefined;
  const flags = view.getUint8(0);
  const header = {
    start: (flags & START) !== 0,
    final: (flags & FINAL) !== 0,
    handle: view.getUint16(2),
    sequence: view.getUint16(4),
    frame: view.getUint16(6),
    capturedAt: undefined,
    payload: HEADER_BYTES,
  };
  if ((flags & EXTENSIONS) !== 0 && !readExtensions(view, header)) return undefined;
  return header.handle === 0 ? undefined : header;
}

function readExtensions(view, header) {
  if (view.byteLength < HEADER_BYTES + 2) return false;
  const end = HEADER_BYTES + (view.getUint16(HEADER_BYTES) + 1) * 4;
  if (end > view.byteLength) return false;
  let at = HEADER_BYTES + 2;
  while (at + 2 <= end && view.getUint8(at) !== 0) {
    const length = view.getUint8(at + 1);
    if (at + 2 + length > end) return false;
    if (view.getUint8(at) === EXTENSION_TIMESTAMP && length === 8) {
      header.capturedAt = Number(view.getBigUint64(at + 2));
    }
    at += 2 + length;
  }
  header.payload = end;
  return true;
}

/** Puts the packets of one subscribed track together and counts what is missing. */
export class Reassembler {
  delivered = 0;
  dropped = 0;
  #pieces = [];
  #frame;
  #next;
  #lastFrame;

  /** The finished frame as `{ payload, capturedAt }`, or `undefined`. */
  push(header, buffer) {
    this.#countMissingFrames(header.frame);
    if (header.start) {
      this.#abandon();
      this.#frame = header.frame;
      this.#next = header.sequence;
    }
    if (header.frame !== this.#frame || header.sequence !== this.#next) {
      this.#abandon();
      return undefined;
    }
    this.#pieces.push(new Uint8Array(buffer, header.payload));
    this.#next = (header.sequence + 1) & 0xffff;
    if (!header.final) return undefined;
    const frame = { payload: new Blob(this.#pieces), capturedAt: header.capturedAt };
    this.#pieces = [];
    this.#frame = undefined;
    this.delivered += 1;
    return frame;
  }

  #countMissingFrames(frame) {
    if (this.#lastFrame === undefined) this.#lastFrame = (frame - 1) & 0xffff;
    const ahead = (frame - this.#lastFrame) & 0xffff;
    if (ahead === 0 || ahead >= 0x8000) return;
    this.dropped += ahead - 1;
    this.#lastFrame = frame;
  }

  #abandon() {
    if (this.#frame === undefined) return;
    this.dropped += 1;
    this.#pieces = [];
    this.#frame = undefined;
  }
}
