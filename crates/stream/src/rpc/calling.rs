//! The caller's side.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use trackyard_proto::packet::{PacketValue, RpcRequest, RpcResult};

use super::attributes::{REQUEST_ID, RequestAttributes, VERSION_2};
use super::call::{Answer, CallId, CallRequest, Payload};
use super::{
    ACK_TIMEOUT, Outbound, REQUEST_TOPIC, RPC_PAYLOAD_BYTES, RpcConfig, RpcCounters, RpcError, RpcErrorCode,
    packet,
};
use crate::{Origin, Sending, StreamInfo, StreamKey, StreamOptions};

/// The other side is told to take at least that long, whatever the caller waits.
const EFFECTIVE_TIMEOUT_MIN: Duration = Duration::from_secs(8);
/// Nobody waits longer than that: the wire counts milliseconds in 32 bits.
const TIMEOUT_MAX: Duration = Duration::from_millis(u32::MAX as u64);
/// Older servers pass no calls on.
const SERVER_MIN: [u32; 3] = [1, 8, 0];

/// Calls of this client that wait for their result.
#[derive(Debug)]
pub(crate) struct Calling {
    config: RpcConfig,
    calls: BTreeMap<CallId, Call>,
    /// By the name on the wire.
    ids: HashMap<String, CallId>,
    next_id: u64,
    answers: VecDeque<(CallId, Answer)>,
}

#[derive(Debug)]
struct Call {
    id: String,
    destination: String,
    /// Nothing once it is confirmed.
    ack_by: Option<Instant>,
    response_by: Instant,
    /// The stream that is its result.
    response: Option<StreamKey>,
}

impl Calling {
    pub(crate) fn new(config: RpcConfig) -> Self {
        let (calls, ids, answers) = Default::default();
        Self { config, calls, ids, next_id: 0, answers }
    }

    /// Begins a call under a name unlike that of any other; `stream_id` is for its stream, if it is one.
    pub(crate) fn call(
        &mut self,
        request: CallRequest,
        [id, stream_id]: [String; 2],
        now: Instant,
        counters: &mut RpcCounters,
    ) -> Result<(CallId, Outbound), RpcError> {
        self.check(&request)?;
        let response_timeout = request.response_timeout.min(TIMEOUT_MAX);
        let destination = request.destination.clone();
        let outbound = outbound(request, &id, stream_id, response_timeout.max(EFFECTIVE_TIMEOUT_MIN))?;
        let key = CallId(self.next_id);
        self.next_id += 1;
        self.ids.insert(id.clone(), key);
        let response_by = now + response_timeout;
        let call = Call { id, destination, ack_by: Some(now + ACK_TIMEOUT), response_by, response: None };
        self.calls.insert(key, call);
        counters.called += 1;
        Ok((key, outbound))
    }

    /// Nobody waits for the call any more; answers its stream.
    pub(crate) fn cancel(&mut self, call: CallId) -> Option<StreamKey> {
        self.remove(call)?.response
    }

    pub(crate) fn acknowledged(&mut self, sender: &str, id: &str, counters: &mut RpcCounters) {
        match self.find(sender, id).and_then(|key| self.calls.get_mut(&key)) {
            Some(call) => call.ack_by = None,
            None => counters.unexpected += 1,
        }
    }

    /// Answers a stream that is of no use any more.
    pub(crate) fn answered(
        &mut self,
        sender: &str,
        (id, result): (&str, Option<RpcResult>),
        counters: &mut RpcCounters,
    ) -> Option<StreamKey> {
        let Some(call) = self.find(sender, id) else {
            counters.unexpected += 1;
            return None;
        };
        let answer = match result {
            Some(RpcResult::Payload(payload)) => Answer::Payload(payload),
            Some(RpcResult::Error(error)) => Answer::Failed(error.into()),
            Some(RpcResult::Compressed(_)) | None => Answer::Failed(Answer::unreadable()),
        };
        self.finish(call, answer, counters)
    }

    /// A stream has begun that is a result; answers whether a call waits for it.
    pub(crate) fn response_opened(
        &mut self,
        sender: &str,
        (stream, info): (StreamKey, &StreamInfo),
        counters: &mut RpcCounters,
    ) -> bool {
        let id = info.attributes.get(REQUEST_ID).map(String::as_str).unwrap_or_default();
        let call = self.find(sender, id).and_then(|key| self.calls.get_mut(&key));
        let Some(call) = call.filter(|call| call.response.is_none()) else {
            counters.unexpected += 1;
            return false;
        };
        call.response = Some(stream);
        true
    }

    /// All of a stream has come that is a result, or what came of it is of no use.
    pub(crate) fn response_ended(
        &mut self,
        stream: StreamKey,
        payload: Result<Payload, RpcError>,
        counters: &mut RpcCounters,
    ) {
        let call = self.calls.iter().find(|(_, call)| call.response == Some(stream)).map(|(key, _)| *key);
        let Some(call) = call else { return };
        let answer = payload.map_or_else(Answer::Failed, |payload| Answer::Stream(Box::new(payload)));
        self.finish(call, answer, counters);
    }

    /// The one who is called is gone; without one, everybody is. Answers streams that are of no use any more.
    pub(crate) fn left(&mut self, identity: Option<&str>, counters: &mut RpcCounters) -> Vec<StreamKey> {
        let is_theirs = |call: &Call| identity.is_none_or(|identity| call.destination == identity);
        let calls: Vec<_> =
            self.calls.iter().filter(|(_, call)| is_theirs(call)).map(|(key, _)| *key).collect();
        let answer = || Answer::Failed(RpcErrorCode::RecipientDisconnected.into());
        calls.into_iter().filter_map(|call| self.finish(call, answer(), counters)).collect()
    }

    /// Answers streams that are of no use any more.
    pub(crate) fn handle_timeout(&mut self, now: Instant, counters: &mut RpcCounters) -> Vec<StreamKey> {
        let mut late = Vec::new();
        for (key, call) in &self.calls {
            if call.response_by <= now {
                late.push((*key, RpcErrorCode::ResponseTimeout));
            } else if call.ack_by.is_some_and(|by| by <= now) {
                late.push((*key, RpcErrorCode::ConnectionTimeout));
            }
        }
        late.into_iter()
            .filter_map(|(call, code)| self.finish(call, Answer::Failed(code.into()), counters))
            .collect()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.calls
            .values()
            .map(|call| call.ack_by.map_or(call.response_by, |by| by.min(call.response_by)))
            .min()
    }

    pub(crate) fn poll_answer(&mut self) -> Option<(CallId, Answer)> {
        self.answers.pop_front()
    }

    fn check(&self, request: &CallRequest) -> Result<(), RpcError> {
        let limit = if request.abilities.reads_calls_as_streams() {
            self.config.payload_bytes_max
        } else {
            RPC_PAYLOAD_BYTES
        };
        if request.payload.len() > limit {
            return Err(RpcErrorCode::RequestPayloadTooLarge.into());
        }
        if !passes_calls_on(&request.server_version) {
            return Err(RpcErrorCode::UnsupportedServer.into());
        }
        if self.calls.len() >= self.config.calls_max {
            return Err(RpcErrorCode::SendFailed.with_data("too many calls wait for their result"));
        }
        Ok(())
    }

    /// The call of that name, if that participant was called. One that is hidden answers without a name.
    fn find(&self, sender: &str, id: &str) -> Option<CallId> {
        let key = *self.ids.get(id)?;
        let call = self.calls.get(&key)?;
        (sender.is_empty() || call.destination == sender).then_some(key)
    }

    /// Answers a stream that is of no use any more.
    fn finish(&mut self, call: CallId, answer: Answer, counters: &mut RpcCounters) -> Option<StreamKey> {
        let removed = self.remove(call)?;
        counters.answered += 1;
        self.answers.push_back((call, answer));
        removed.response
    }

    fn remove(&mut self, call: CallId) -> Option<Call> {
        let removed = self.calls.remove(&call)?;
        self.ids.remove(&removed.id);
        Some(removed)
    }
}

fn outbound(
    request: CallRequest,
    id: &str,
    stream_id: String,
    response_timeout: Duration,
) -> Result<Outbound, RpcError> {
    let CallRequest { destination, method, payload, abilities, unix_ms, .. } = request;
    if !abilities.reads_calls_as_streams() {
        let response_timeout_ms = u32::try_from(response_timeout.as_millis()).unwrap_or(u32::MAX);
        let id = id.to_owned();
        let request =
            RpcRequest { id, method, payload, response_timeout_ms, version: 1, ..RpcRequest::default() };
        return Ok(Outbound::Packet(packet(PacketValue::RpcRequest(request), &destination)));
    }
    let attributes = RequestAttributes { id: id.to_owned(), method, response_timeout, version: VERSION_2 };
    let options = StreamOptions {
        attributes: attributes.write(),
        destinations: vec![destination],
        ..StreamOptions::text(REQUEST_TOPIC)
    };
    let sending = Sending::new(options, payload, &Origin { stream_id, unix_ms, abilities });
    let sending = sending.map_err(|error| RpcErrorCode::SendFailed.with_data(error.to_string()))?;
    Ok(Outbound::Stream(sending))
}

/// What names no version is taken for new.
fn passes_calls_on(version: &str) -> bool {
    let numbers = version.split(['.', '-', '+']).map_while(|part| part.parse().ok());
    let numbers: Vec<u32> = numbers.take(3).collect();
    numbers.len() < 2 || numbers.as_slice() >= &SERVER_MIN[..numbers.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_pass_no_calls_on() {
        for (version, expected) in [
            ("1.7.9", false),
            ("0.15.1", false),
            ("1.8.0", true),
            ("1.8", true),
            ("1.13.5", true),
            ("2.0.0-rc1", true),
            ("", true),
            ("main", true),
        ] {
            assert_eq!(passes_calls_on(version), expected, "{version}");
        }
    }
}
