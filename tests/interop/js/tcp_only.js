// A browser whose UDP does not get through, as far as a page can make one: candidates over UDP are
// taken out of what the server tells, so that ICE over TCP is the only way left.

const OVER_UDP = /^(a=)?candidate:\S+ \d+ udp /i;

let switchedOn = false;

export async function whileTcpOnly(wanted, connect) {
  switchedOn = wanted;
  try {
    return await connect();
  } finally {
    switchedOn = false;
  }
}

class FilteredPeerConnection extends RTCPeerConnection {
  #tcpOnly = switchedOn;

  setRemoteDescription(description) {
    if (!this.#tcpOnly) return super.setRemoteDescription(description);
    const lines = description.sdp.split("\r\n").filter((line) => !OVER_UDP.test(line));
    return super.setRemoteDescription({ type: description.type, sdp: lines.join("\r\n") });
  }

  addIceCandidate(candidate) {
    const hidden = this.#tcpOnly && OVER_UDP.test(candidate?.candidate ?? "");
    return hidden ? Promise.resolve() : super.addIceCandidate(candidate);
  }
}

window.RTCPeerConnection = FilteredPeerConnection;
