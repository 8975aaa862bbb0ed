// Keys of end-to-end encryption: shared, or each participant's own.

import { BaseKeyProvider, createKeyMaterialFromString, RoomEvent } from "livekit-client";

class Provider extends BaseKeyProvider {
  async set({ passphrase, identity, index }) {
    this.onSetEncryptionKey(await createKeyMaterialFromString(passphrase), identity ?? undefined, index);
  }
}

export class Keys {
  static async made({ shared, changes, ratchetWindow }) {
    const keys = new Keys();
    keys.provider = new Provider({ sharedKey: shared, ratchetWindowSize: ratchetWindow, failureTolerance: -1 });
    keys.worker = new Worker("/worker.js", { type: "module" });
    for (const change of changes) await keys.change(change);
    return keys;
  }

  // A key without a passphrase is replaced by the next of its chain.
  async change(change) {
    if (change.passphrase) await this.provider.set(change);
    else this.provider.ratchetKey(change.identity ?? undefined, change.index);
  }

  encryption() {
    return { keyProvider: this.provider, worker: this.worker };
  }

  // Turns encryption on, and waits until the room says that it is.
  async used(room) {
    const isOn = new Promise((resolve) => {
      room.on(RoomEvent.ParticipantEncryptionStatusChanged, (enabled, who) => {
        if (enabled && who === room.localParticipant) resolve();
      });
    });
    await room.setE2EEEnabled(true);
    await isOn;
  }

  close() {
    this.worker.terminate();
  }
}
