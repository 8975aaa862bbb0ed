//! Calls of participants' methods in the name of an administrator (protocol §6.5, §10).
//!
//! The server calls as older clients do, by packets, which every client understands. A call ends with its response, or
//! with an error: no acknowledgement, no response in time, or the participant has left.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_proto::limits::RPC_PAYLOAD_BYTES;
use trackyard_proto::packet::{DataPacket, PacketValue, RpcErrorInfo, RpcRequest, RpcResponse, RpcResult};
use trackyard_proto::relay::Delivery;
use trackyard_proto::sid::SidKind;

use super::Room;
use super::admin::{AdminError, AdminId, AdminReply, Call};
use super::timers::Timer;
use crate::control::{Audience, PeerId};

/// The participant has to say within this that a call has arrived.
const ACK_MAX: Duration = Duration::from_secs(2);
/// No response is waited for longer than this, whatever the administrator wants.
const RESPONSE_MAX: Duration = Duration::from_secs(300);
/// Calls of one room that may wait for an answer.
const CALLS_MAX: usize = 1_024;
/// Of these, for one participant: its worker knows twice as many.
const PARTICIPANT_CALLS_MAX: usize = 128;

const TOO_LARGE: (u32, &str) = (1402, "Request payload too large");
const RESPONSE_TOO_LARGE: (u32, &str) = (1504, "Response payload too large");
const NOT_ACKNOWLEDGED: (u32, &str) = (1501, "Connection timeout");
const NO_RESPONSE: (u32, &str) = (1502, "Response timeout");
const DISCONNECTED: (u32, &str) = (1503, "Recipient disconnected");
const APPLICATION: (u32, &str) = (1500, "Application error in method handler");

/// Calls that wait for an answer.
#[derive(Debug, Default)]
pub(super) struct Calls {
    by_id: HashMap<String, Waiting>,
    by_time: BTreeSet<(Instant, String)>,
    /// How many each participant has to answer.
    by_peer: BTreeMap<PeerId, usize>,
}

#[derive(Debug)]
struct Waiting {
    admin: AdminId,
    peer: PeerId,
    /// It has arrived.
    acknowledged: bool,
    /// When the response has to be there.
    respond_by: Instant,
    /// What it waits for now has to happen by then.
    due: Instant,
}

impl Calls {
    fn insert(&mut self, id: String, waiting: Waiting) {
        *self.by_peer.entry(waiting.peer).or_default() += 1;
        self.by_time.insert((waiting.due, id.clone()));
        self.by_id.insert(id, waiting);
    }

    fn remove(&mut self, id: &str) -> Option<Waiting> {
        let waiting = self.by_id.remove(id)?;
        self.by_time.remove(&(waiting.due, id.to_owned()));
        if let Some(count) = self.by_peer.get_mut(&waiting.peer) {
            *count -= 1;
            if *count == 0 {
                self.by_peer.remove(&waiting.peer);
            }
        }
        Some(waiting)
    }

    /// The call has arrived where it should: now only its response is waited for.
    fn acknowledge(&mut self, id: &str, peer: PeerId) {
        let Some(waiting) = self.by_id.get_mut(id).filter(|waiting| waiting.peer == peer) else { return };
        self.by_time.remove(&(waiting.due, id.to_owned()));
        waiting.acknowledged = true;
        waiting.due = waiting.respond_by;
        self.by_time.insert((waiting.due, id.to_owned()));
    }

    fn belongs_to(&self, id: &str, peer: PeerId) -> bool {
        self.by_id.get(id).is_some_and(|waiting| waiting.peer == peer)
    }

    fn of(&self, peer: PeerId) -> Vec<String> {
        if !self.by_peer.contains_key(&peer) {
            return Vec::new();
        }
        let calls = self.by_time.iter().filter(|(_, id)| self.belongs_to(id, peer));
        calls.map(|(_, id)| id.clone()).collect()
    }

    fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(due, _)| *due)
    }
}

impl Room {
    /// Calls a participant's method; the answer comes later.
    pub(super) fn call(&mut self, admin: AdminId, call: Call) {
        let peer = match self.check_call(&call) {
            Ok(peer) => peer,
            Err(error) => return self.answer(admin, Err(error)),
        };
        let id = self.draw_call_id();
        let now = self.now.instant;
        let response_max = call.response_max.min(RESPONSE_MAX);
        let respond_by = now + response_max;
        let due = respond_by.min(now + ACK_MAX);
        self.counters.rpc_calls += 1;
        self.calls.insert(id.clone(), Waiting { admin, peer, acknowledged: false, respond_by, due });
        self.timers.set_by(Timer::Calls, due);
        let identities = vec![call.identity.clone()];
        let packet = request(&id, call, response_max);
        let audience = Audience::Named { identities, sids: Vec::new() };
        self.say(packet, Delivery::Reliable, audience, Some(&id));
    }

    /// A participant has answered a packet of the server's.
    pub(super) fn reply(&mut self, peer: PeerId, packet: &[u8]) {
        let Ok(packet) = DataPacket::decode(packet) else {
            self.counters.replies_late += 1;
            return;
        };
        match packet.value {
            PacketValue::RpcAck(ack) => self.calls.acknowledge(&ack.request_id, peer),
            PacketValue::RpcResponse(response) => self.respond_to_call(peer, response),
            _ => self.counters.replies_late += 1,
        }
    }

    /// What some calls have waited for should have happened by now.
    pub(super) fn calls_due(&mut self) {
        while let Some(due) = self.calls.next() {
            if due > self.now.instant {
                return self.timers.set(Timer::Calls, due);
            }
            let Some((_, id)) = self.calls.by_time.first().cloned() else { return };
            let acknowledged = self.calls.by_id.get(&id).is_some_and(|waiting| waiting.acknowledged);
            self.end_call(&id, Err(if acknowledged { failure(NO_RESPONSE) } else { self.late(&id) }));
        }
    }

    /// The participant has left; it will not answer.
    pub(super) fn calls_of_gone(&mut self, peer: PeerId) {
        for id in self.calls.of(peer) {
            self.end_call(&id, Err(failure(DISCONNECTED)));
        }
    }

    /// A call without acknowledgement: a short time for the response may have been up before that for the
    /// acknowledgement.
    fn late(&self, id: &str) -> RpcErrorInfo {
        let out_of_time = self.calls.by_id.get(id).is_some_and(|waiting| waiting.due == waiting.respond_by);
        failure(if out_of_time { NO_RESPONSE } else { NOT_ACKNOWLEDGED })
    }

    fn check_call(&self, call: &Call) -> Result<PeerId, AdminError> {
        if call.identity.is_empty() {
            return Err(AdminError::Invalid("destination identity is required"));
        }
        if call.payload.len() > RPC_PAYLOAD_BYTES {
            return Err(AdminError::Call(failure(TOO_LARGE)));
        }
        // What is left of a packet beside the longest payload would hold far more.
        if call.method.len() > RPC_PAYLOAD_BYTES {
            return Err(AdminError::TooLong { what: "method", limit: RPC_PAYLOAD_BYTES });
        }
        let peer = self.named(&call.identity)?;
        if self.calls.by_id.len() >= CALLS_MAX {
            return Err(AdminError::TooManyCalls(CALLS_MAX));
        }
        if self.calls.by_peer.get(&peer).is_some_and(|count| *count >= PARTICIPANT_CALLS_MAX) {
            return Err(AdminError::TooManyCalls(PARTICIPANT_CALLS_MAX));
        }
        Ok(peer)
    }

    fn respond_to_call(&mut self, peer: PeerId, response: RpcResponse) {
        if !self.calls.belongs_to(&response.request_id, peer) {
            self.counters.replies_late += 1;
            return;
        }
        let result = match response.result {
            Some(RpcResult::Payload(payload)) if payload.len() > RPC_PAYLOAD_BYTES => {
                Err(failure(RESPONSE_TOO_LARGE))
            }
            Some(RpcResult::Payload(payload)) => Ok(payload),
            Some(RpcResult::Error(error)) => Err(error),
            // Nobody was asked to compress.
            Some(RpcResult::Compressed(_)) | None => Err(failure(APPLICATION)),
        };
        self.end_call(&response.request_id, result);
    }

    fn end_call(&mut self, id: &str, result: Result<String, RpcErrorInfo>) {
        let Some(waiting) = self.calls.remove(id) else { return };
        if result.is_err() {
            self.counters.rpc_failures += 1;
        }
        self.answer(waiting.admin, result.map(AdminReply::Payload).map_err(AdminError::Call));
    }

    /// Unique among the calls of this room; shown to the participant as the caller.
    fn draw_call_id(&mut self) -> String {
        loop {
            let id = self.draw_sid(SidKind::Call);
            if !self.calls.by_id.contains_key(&id) {
                return id;
            }
        }
    }
}

fn failure((code, message): (u32, &str)) -> RpcErrorInfo {
    RpcErrorInfo { code, message: message.to_owned(), data: String::new() }
}

fn request(id: &str, call: Call, response_max: Duration) -> Bytes {
    let response_timeout_ms = u32::try_from(response_max.as_millis()).unwrap_or(u32::MAX);
    let request = RpcRequest {
        id: id.to_owned(),
        method: call.method,
        payload: call.payload,
        response_timeout_ms,
        version: 1,
        ..RpcRequest::default()
    };
    let packet = DataPacket {
        participant_identity: id.to_owned(),
        ..PacketValue::RpcRequest(request).reliable(vec![call.identity])
    };
    packet.encode().into()
}
