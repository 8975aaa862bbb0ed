// @livekit/rtc-node, which has no data tracks of its own: it joins rooms that are full of them.

import { DisconnectReason, Room, RoomEvent, dispose } from "@livekit/rtc-node";
import { serve, write } from "./lines.js";

const rooms = new Map();

const calls = {
  async connect(identity, url, token, singlePeerConnection) {
    const room = new Room();
    rooms.set(identity, room);
    const record = (event, fields = {}) => write({ event, identity, fields });
    room.on(RoomEvent.Disconnected, (reason) => record("disconnected", { reason: DisconnectReason[reason] }));
    room.on(RoomEvent.Reconnecting, () => record("reconnecting"));
    room.on(RoomEvent.ParticipantConnected, (who) => record("participant_connected", { identity: who.identity }));
    room.on(RoomEvent.ParticipantDisconnected, (who) =>
      record("participant_disconnected", { identity: who.identity }),
    );
    // The option is in the native library though not in the published types.
    await room.connect(url, token, { autoSubscribe: true, dynacast: false, singlePeerConnection });
  },
  participants: (identity) => [...rooms.get(identity).remoteParticipants.keys()],
  isConnected: (identity) => rooms.get(identity).isConnected,
  async close(identity) {
    await rooms.get(identity)?.disconnect();
    rooms.delete(identity);
  },
};

write({ event: "ready" });
await serve(async (method, [identity, ...args]) => ({ value: (await calls[method](identity, ...args)) ?? null }));
await dispose();
process.exit(0);
