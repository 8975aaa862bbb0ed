// Frames that say by themselves whether they arrived whole; harness/payload.py tells their layout.

const DIGEST_BYTES = 32;
const SIZE_MIN = DIGEST_BYTES + 8;
const RANDOM_BYTES_MAX = 65_536;

export async function make(sequence, size) {
  if (size === 1) return Uint8Array.of(sequence & 0xff);
  if (size < SIZE_MIN) throw new RangeError(`no room for a digest in ${size} bytes`);
  const bytes = new Uint8Array(size);
  for (let at = SIZE_MIN; at < size; at += RANDOM_BYTES_MAX) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + RANDOM_BYTES_MAX)));
  }
  const header = new DataView(bytes.buffer, DIGEST_BYTES);
  header.setUint32(0, sequence);
  header.setUint32(4, size);
  bytes.set(await digest(bytes), 0);
  return bytes;
}

export async function inspect(bytes) {
  const size = bytes.length;
  if (size === 1) return { sequence: bytes[0], size, intact: true };
  if (size < SIZE_MIN) return { sequence: -1, size, intact: false };
  const header = new DataView(bytes.buffer, bytes.byteOffset + DIGEST_BYTES);
  const wanted = await digest(bytes);
  const intact = header.getUint32(4) === size && wanted.every((byte, at) => byte === bytes[at]);
  return { sequence: header.getUint32(0), size, intact };
}

async function digest(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.subarray(DIGEST_BYTES)));
}
