// @livekit/rtc-node, whose native library knows data tracks though its interface does not.

import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DataPacketKind,
  DisconnectReason,
  Room,
  RoomEvent,
  RpcError,
  SimulateScenarioKind,
  dispose,
} from "@livekit/rtc-node";
import { serve, write } from "./lines.js";
import { Talk } from "./talk.js";

const rooms = new Map();

// What rtc-node calls by a name of its own.
function dialect(room) {
  return {
    RELIABLE: DataPacketKind.KIND_RELIABLE,
    RpcError,
    register: (method, handler) => room.localParticipant.registerRpcMethod(method, handler),
    publish: (payload, { reliable, topic, to }) =>
      room.localParticipant.publishData(payload, { reliable, topic, destination_identities: to }),
    async sendFile(bytes, options) {
      const path = join(tmpdir(), `interop-${randomUUID()}.bin`);
      await writeFile(path, bytes);
      try {
        await room.localParticipant.sendFile(path, { name: "blob.bin", ...options });
      } finally {
        await rm(path);
      }
    },
    setMetadata: (metadata) => room.localParticipant.updateMetadata(metadata),
    setName: (name) => room.localParticipant.updateName(name),
    canPublishData: (who) => who.info.permission?.canPublishData ?? null,
  };
}

const calls = {
  async connect(identity, url, token, singlePeerConnection) {
    const room = new Room();
    const record = (event, fields = {}) => write({ event, identity, fields });
    const talk = new Talk(room, dialect(room), record);
    rooms.set(identity, { room, talk });
    room.on(RoomEvent.Disconnected, (reason) => record("disconnected", { reason: DisconnectReason[reason] }));
    room.on(RoomEvent.Reconnecting, () => record("reconnecting"));
    room.on(RoomEvent.Reconnected, () => record("reconnected"));
    room.on(RoomEvent.ParticipantConnected, (who) => record("participant_connected", { identity: who.identity }));
    room.on(RoomEvent.ParticipantDisconnected, (who) =>
      record("participant_disconnected", { identity: who.identity }),
    );
    // The option is in the native library though not in the published types.
    await room.connect(url, token, { autoSubscribe: true, dynacast: false, singlePeerConnection });
    talk.serve();
  },
  talk: (identity, what, about) => rooms.get(identity).talk[what](about),
  participants: (identity) => [...rooms.get(identity).room.remoteParticipants.keys()],
  isConnected: (identity) => rooms.get(identity).room.isConnected,
  // A reconnection as if the signal connection were lost.
  resume: (identity) =>
    rooms.get(identity).room.simulateScenario(SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT),
  async close(identity) {
    await rooms.get(identity)?.room.disconnect();
    rooms.delete(identity);
  },
};

write({ event: "ready" });
await serve(async (method, [identity, ...args]) => ({ value: (await calls[method](identity, ...args)) ?? null }));
await dispose();
process.exit(0);
