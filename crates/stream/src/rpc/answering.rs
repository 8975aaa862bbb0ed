//! The side that is called.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use trackyard_proto::DataPacket;
use trackyard_proto::packet::{PacketValue, RpcAck, RpcRequest, RpcResponse, RpcResult};

use super::attributes::{REQUEST_ID, RequestAttributes, VERSION_2};
use super::call::Payload;
use super::invocation::{Invocation, InvocationId, InvocationPayload, MethodTaken, unreadable};
use super::recent::Recent;
use super::{
    Outbound, RESPONSE_TOPIC, RPC_PAYLOAD_BYTES, RpcConfig, RpcCounters, RpcError, RpcErrorCode, packet,
};
use crate::{Origin, Sending, StreamInfo, StreamKey, StreamOptions};

/// Calls of others that wait for this client's answer.
///
/// Invariant: each call that arrives is confirmed once and answered at most once.
#[derive(Debug)]
pub(crate) struct Answering {
    config: RpcConfig,
    methods: BTreeSet<String>,
    waiting: BTreeMap<InvocationId, Waiting>,
    /// Calls whose payload is on its way.
    arriving: BTreeMap<StreamKey, Arriving>,
    recent: Recent,
    /// Until then, calls may wait for their method to be registered.
    hold_until: Option<Instant>,
    /// Those that do.
    held: Vec<Held>,
    next_id: u64,
    /// Confirmations and refusals.
    packets: VecDeque<DataPacket>,
    invocations: VecDeque<Invocation>,
}

#[derive(Debug)]
struct Waiting {
    caller: String,
    request_id: String,
    /// The call came as a stream. Its caller may be heard before the server has said what it can read.
    came_as_stream: bool,
}

#[derive(Debug)]
struct Held {
    caller: String,
    request: RequestAttributes,
    payload: InvocationPayload,
}

#[derive(Debug)]
struct Arriving {
    caller: String,
    request: RequestAttributes,
}

impl Answering {
    pub(crate) fn new(config: RpcConfig) -> Self {
        Self {
            config,
            methods: BTreeSet::new(),
            waiting: BTreeMap::new(),
            arriving: BTreeMap::new(),
            recent: Recent::default(),
            hold_until: None,
            held: Vec::new(),
            next_id: 0,
            packets: VecDeque::new(),
            invocations: VecDeque::new(),
        }
    }

    pub(crate) fn register(&mut self, method: &str, counters: &mut RpcCounters) -> Result<(), MethodTaken> {
        if !self.methods.insert(method.to_owned()) {
            return Err(MethodTaken { method: method.to_owned() });
        }
        let is_wanted = |held: &mut Held| held.request.method == method;
        let wanted: Vec<_> = self.held.extract_if(.., is_wanted).collect();
        wanted.into_iter().for_each(|held| self.invoke(held, counters));
        Ok(())
    }

    /// Until then, calls wait for their method to be registered, within bounds.
    pub(crate) fn hold_until(&mut self, until: Instant) {
        self.hold_until = Some(until);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.hold_until.is_some_and(|until| now >= until) {
            self.hold_until = None;
            for Held { caller, request, .. } in std::mem::take(&mut self.held) {
                self.refuse(&caller, request.id, RpcErrorCode::UnsupportedMethod.into());
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.hold_until
    }

    /// Calls that wait stay.
    pub(crate) fn unregister(&mut self, method: &str) {
        self.methods.remove(method);
    }

    /// A call, version 1.
    pub(crate) fn requested(&mut self, caller: &str, request: RpcRequest, counters: &mut RpcCounters) {
        let attributes = RequestAttributes {
            id: request.id,
            method: request.method,
            response_timeout: Duration::from_millis(request.response_timeout_ms.into()),
            version: request.version,
        };
        if self.accept(caller, &attributes, 1, counters) {
            let payload = InvocationPayload::Text(request.payload);
            self.arrived(Held { caller: caller.to_owned(), request: attributes, payload }, counters);
        }
    }

    /// A stream has begun that is a call; answers whether its content is of use.
    pub(crate) fn request_opened(
        &mut self,
        caller: &str,
        (stream, info): (StreamKey, &StreamInfo),
        counters: &mut RpcCounters,
    ) -> bool {
        let Some(request) = RequestAttributes::read(&info.attributes) else {
            self.malformed(caller, info, counters);
            return false;
        };
        let is_accepted = self.accept(caller, &request, VERSION_2, counters);
        if is_accepted {
            self.arriving.insert(stream, Arriving { caller: caller.to_owned(), request });
        }
        is_accepted
    }

    /// All of a stream has come that is a call, or what came of it is of no use.
    pub(crate) fn request_ended(
        &mut self,
        stream: StreamKey,
        payload: Result<Payload, RpcError>,
        counters: &mut RpcCounters,
    ) {
        let Some(Arriving { caller, request }) = self.arriving.remove(&stream) else { return };
        match payload {
            Ok(payload) => {
                let payload = InvocationPayload::Stream(payload);
                self.arrived(Held { caller, request, payload }, counters);
            }
            Err(error) => self.refuse(&caller, request.id, error),
        }
    }

    /// The reason why a payload is of no use that did not arrive.
    pub(crate) fn unreadable() -> RpcError {
        unreadable()
    }

    /// What to send for an answer; nothing if the caller has left or was answered.
    pub(crate) fn respond(
        &mut self,
        invocation: InvocationId,
        result: Result<String, RpcError>,
        origin: &Origin,
    ) -> Option<Outbound> {
        let Waiting { caller, request_id, came_as_stream } = self.waiting.remove(&invocation)?;
        let payload = match result {
            Ok(payload) => payload,
            Err(error) => return Some(response(&caller, request_id, RpcResult::Error(error.into()))),
        };
        let is_stream = came_as_stream || origin.abilities.reads_calls_as_streams();
        let limit = if is_stream { self.config.payload_bytes_max } else { RPC_PAYLOAD_BYTES };
        if payload.len() > limit {
            let error = RpcError::from(RpcErrorCode::ResponsePayloadTooLarge);
            return Some(response(&caller, request_id, RpcResult::Error(error.into())));
        }
        if !is_stream {
            return Some(response(&caller, request_id, RpcResult::Payload(payload)));
        }
        let options = StreamOptions {
            attributes: BTreeMap::from([(REQUEST_ID.to_owned(), request_id)]),
            destinations: vec![caller],
            ..StreamOptions::text(RESPONSE_TOPIC)
        };
        Sending::new(options, payload, origin).ok().map(Outbound::Stream)
    }

    /// Who calls; nothing if the caller has left or was answered.
    pub(crate) fn caller(&self, invocation: InvocationId) -> Option<&str> {
        self.waiting.get(&invocation).map(|waiting| waiting.caller.as_str())
    }

    /// A caller is gone; without one, everybody is.
    pub(crate) fn left(&mut self, identity: Option<&str>) {
        let stays = |caller: &str| identity.is_some_and(|identity| identity != caller);
        self.waiting.retain(|_, waiting| stays(&waiting.caller));
        self.arriving.retain(|_, arriving| stays(&arriving.caller));
        self.held.retain(|held| stays(&held.caller));
    }

    pub(crate) fn poll_packet(&mut self) -> Option<DataPacket> {
        self.packets.pop_front()
    }

    pub(crate) fn poll_invocation(&mut self) -> Option<Invocation> {
        self.invocations.pop_front()
    }

    /// Confirms a call, and refuses it unless it can be answered.
    fn accept(
        &mut self,
        caller: &str,
        request: &RequestAttributes,
        version: u32,
        counters: &mut RpcCounters,
    ) -> bool {
        // Nobody without a name can be answered: the answer would go to everyone.
        if caller.is_empty() || request.id.is_empty() {
            counters.malformed += 1;
            return false;
        }
        if !self.recent.insert(caller, &request.id) {
            counters.duplicates += 1;
            return false;
        }
        let ack = RpcAck { request_id: request.id.clone() };
        self.packets.push_back(packet(PacketValue::RpcAck(ack), caller));
        let refusal = if request.version != version {
            RpcErrorCode::UnsupportedVersion.into()
        } else if !self.methods.contains(&request.method) && !self.may_hold() {
            RpcErrorCode::UnsupportedMethod.into()
        } else if self.is_full(caller) {
            counters.refused += 1;
            RpcErrorCode::ApplicationError.with_data("too many calls wait for an answer")
        } else {
            return true;
        };
        self.refuse(caller, request.id.clone(), refusal);
        false
    }

    fn is_full(&self, caller: &str) -> bool {
        let waiting = self.waiting.values().map(|waiting| &waiting.caller);
        let arriving = self.arriving.values().map(|arriving| &arriving.caller);
        let of_caller = waiting.chain(arriving).filter(|other| *other == caller).count();
        let held = self.held.iter().map(|held| &held.caller);
        let of_caller = of_caller + held.filter(|other| *other == caller).count();
        let all = self.waiting.len() + self.arriving.len() + self.held.len();
        all >= self.config.invocations_max || of_caller >= self.config.invocations_per_caller_max
    }

    fn may_hold(&self) -> bool {
        self.hold_until.is_some() && self.held.len() < self.config.held_max
    }

    /// All of a call has come.
    fn arrived(&mut self, call: Held, counters: &mut RpcCounters) {
        if self.methods.contains(&call.request.method) {
            self.invoke(call, counters);
        } else if self.may_hold() {
            self.held.push(call);
        } else {
            self.refuse(&call.caller, call.request.id, RpcErrorCode::UnsupportedMethod.into());
        }
    }

    fn invoke(&mut self, Held { caller, request, payload }: Held, counters: &mut RpcCounters) {
        let RequestAttributes { id: request_id, method, response_timeout, .. } = request;
        let id = InvocationId(self.next_id);
        self.next_id += 1;
        counters.invoked += 1;
        let came_as_stream = matches!(payload, InvocationPayload::Stream(_));
        let waiting = Waiting { caller: caller.clone(), request_id: request_id.clone(), came_as_stream };
        self.waiting.insert(id, waiting);
        self.invocations.push_back(Invocation { id, request_id, caller, method, response_timeout, payload });
    }

    fn malformed(&mut self, caller: &str, info: &StreamInfo, counters: &mut RpcCounters) {
        counters.malformed += 1;
        let id = info.attributes.get(REQUEST_ID).filter(|id| !id.is_empty() && !caller.is_empty());
        if let Some(id) = id {
            let error = RpcErrorCode::ApplicationError.with_data("RPC data stream malformed");
            self.refuse(caller, id.clone(), error);
        }
    }

    fn refuse(&mut self, caller: &str, request_id: String, error: RpcError) {
        if let Outbound::Packet(packet) = response(caller, request_id, RpcResult::Error(error.into())) {
            self.packets.push_back(packet);
        }
    }
}

fn response(caller: &str, request_id: String, result: RpcResult) -> Outbound {
    let response = RpcResponse { request_id, result: Some(result) };
    Outbound::Packet(packet(PacketValue::RpcResponse(response), caller))
}
