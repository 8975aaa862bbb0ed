// livekit-server-sdk: asks the server, and verifies its webhooks. Requests and answers are protobuf's JSON.

import { DataPacket_Kind, RoomServiceClient, WebhookReceiver } from "livekit-server-sdk";
import { serve, write } from "./lines.js";

// How each method of the library takes what is in its request.
const METHODS = {
  CreateRoom: (client, room) => client.createRoom(room),
  ListRooms: async (client, { names }) => ({ rooms: (await client.listRooms(names)).map(plain) }),
  DeleteRoom: (client, { room }) => client.deleteRoom(room),
  UpdateRoomMetadata: (client, { room, metadata }) => client.updateRoomMetadata(room, metadata ?? ""),
  async ListParticipants(client, { room }) {
    return { participants: (await client.listParticipants(room)).map(plain) };
  },
  GetParticipant: (client, { room, identity }) => client.getParticipant(room, identity),
  RemoveParticipant: (client, { room, identity }) => client.removeParticipant(room, identity),
  ForwardParticipant: (client, { room, identity, destinationRoom }) =>
    client.forwardParticipant(room, identity, destinationRoom),
  MoveParticipant: (client, { room, identity, destinationRoom }) =>
    client.moveParticipant(room, identity, destinationRoom),
  async MutePublishedTrack(client, { room, identity, trackSid, muted }) {
    return { track: plain(await client.mutePublishedTrack(room, identity, trackSid, muted ?? false)) };
  },
  UpdateParticipant: (client, { room, identity, ...changes }) => client.updateParticipant(room, identity, changes),
  UpdateSubscriptions: (client, { room, identity, trackSids, subscribe }) =>
    client.updateSubscriptions(room, identity, trackSids ?? [], subscribe ?? false),
  SendData(client, { room, data, kind, ...options }) {
    return client.sendData(room, Buffer.from(data, "base64"), DataPacket_Kind[kind ?? "RELIABLE"], options);
  },
};

const plain = (message) => message?.toJson?.() ?? message ?? null;

// The server's refusal is the result of asking; errors of this program are told apart from it.
async function refusable(ask) {
  try {
    return { answer: plain(await ask()) ?? {} };
  } catch (error) {
    if (error.status === undefined) throw error;
    return { refused: { code: error.code ?? "unknown", status: error.status, message: error.message } };
  }
}

function client({ url, key, secret, token }) {
  return new RoomServiceClient(url, key, secret, token ? { token } : undefined);
}

const calls = {
  ask: (login, method, request) => refusable(() => METHODS[method](client(login), request)),
  // What the library has no method for, in the way of those that it has.
  raw: (login, method, request) =>
    refusable(async () => {
      const asking = client(login);
      const grants = { roomAdmin: true, room: request.room };
      return asking.rpc.request("RoomService", method, request, await asking.authHeader(grants));
    }),
  async webhook({ key, secret }, body, authorization) {
    return plain(await new WebhookReceiver(key, secret).receive(body, authorization));
  },
};

write({ event: "ready" });
await serve(async (method, args) => ({ value: await calls[method](...args) }));
