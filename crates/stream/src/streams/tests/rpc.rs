//! Calls, both versions, and all that can go wrong with them.

use std::time::Duration;

use trackyard_proto::packet::{RpcAck, RpcErrorInfo, RpcRequest, RpcResponse, RpcResult};

use super::*;
use crate::{ACK_TIMEOUT, CallRequest, InvocationId, RPC_PAYLOAD_BYTES, RpcError, RpcErrorCode};

const BOTH: [i32; 2] = [0, 1];

struct Pair {
    caller: Side,
    callee: Side,
    now: Instant,
    version: i32,
}

impl Pair {
    fn new(version: i32) -> Self {
        let [caller, mut callee] = ["caller", "callee"].map(Side::new);
        callee.streams.register_method("greet").unwrap();
        Self { caller, callee, now: Instant::now(), version }
    }

    fn abilities(&self) -> Abilities {
        Abilities::version(self.version)
    }

    fn request(&self, method: &str, payload: &str) -> CallRequest {
        CallRequest { abilities: self.abilities(), ..CallRequest::new("callee", method, payload) }
    }

    fn call(&mut self, request: CallRequest) -> CallId {
        let (call, outbound) = self.caller.streams.call(request, self.now).unwrap();
        self.caller.send(outbound);
        call
    }

    fn exchange(&mut self) {
        exchange(&mut [&mut self.caller, &mut self.callee], self.now);
    }

    fn invoked(&mut self) -> Invocation {
        let Event::Invoked(invocation) = self.callee.event() else { panic!("nothing was called") };
        invocation
    }

    fn respond(&mut self, invocation: InvocationId, result: Result<String, RpcError>) {
        let origin = self.callee.origin(self.abilities());
        let outbound = self.callee.streams.respond(invocation, result, &origin).unwrap();
        self.callee.send(outbound);
        self.exchange();
    }

    fn answer(&mut self, call: CallId) -> Result<String, RpcError> {
        let Event::Answered(found, answer) = self.caller.event() else { panic!("nothing was answered") };
        assert_eq!(found, call);
        answer.into_result()
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
        self.caller.streams.handle_timeout(self.now);
        self.caller.settle();
    }
}

fn code(code: RpcErrorCode) -> Result<String, RpcError> {
    Err(code.into())
}

#[test]
fn a_call_is_answered() {
    for version in BOTH {
        let mut pair = Pair::new(version);
        let call = pair.call(pair.request("greet", "hello"));
        assert_eq!(matches!(pair.caller.sent[0].value, PacketValue::RpcRequest(_)), version == 0);
        assert_eq!(pair.caller.sent[0].destination_identities, ["callee"]);
        pair.exchange();
        let mut invocation = pair.invoked();
        assert_eq!((&*invocation.caller, &*invocation.method), ("caller", "greet"));
        assert_eq!(invocation.response_timeout, Duration::from_secs(15));
        assert_eq!(invocation.take_payload().unwrap(), "hello");
        // It was confirmed, so that it may take long.
        pair.wait(ACK_TIMEOUT + Duration::from_secs(1));
        assert!(pair.caller.events.is_empty());
        pair.respond(invocation.id, Ok("you too".to_owned()));
        assert_eq!(pair.answer(call).unwrap(), "you too");
        assert_eq!(pair.caller.wake, None);
        let counters = pair.caller.streams.rpc_counters();
        assert_eq!((counters.called, counters.answered, counters.unexpected), (1, 1, 0));
        let origin = pair.callee.origin(Abilities::NONE);
        assert!(pair.callee.streams.respond(invocation.id, Ok(String::new()), &origin).is_none());
    }
}

#[test]
fn large_payloads_go_as_streams_and_as_nothing_else() {
    let large = "payload ".repeat(25_000);
    let mut pair = Pair::new(1);
    let call = pair.call(pair.request("greet", &large));
    assert!(pair.caller.sent.len() > 10);
    pair.exchange();
    let mut invocation = pair.invoked();
    assert_eq!(invocation.take_payload().unwrap(), large);
    pair.respond(invocation.id, Ok(large.clone()));
    assert_eq!(pair.answer(call).unwrap(), large);

    let mut pair = Pair::new(0);
    let error = pair.caller.streams.call(pair.request("greet", &large), pair.now).unwrap_err();
    assert_eq!(error, RpcErrorCode::RequestPayloadTooLarge.into());
    let largest = "x".repeat(RPC_PAYLOAD_BYTES);
    let call = pair.call(pair.request("greet", &largest));
    pair.exchange();
    let mut invocation = pair.invoked();
    assert_eq!(invocation.take_payload().unwrap(), largest);
    pair.respond(invocation.id, Ok(large));
    assert_eq!(pair.answer(call), code(RpcErrorCode::ResponsePayloadTooLarge));
}

#[test]
fn whoever_calls_by_a_stream_is_answered_by_one_even_if_it_is_not_known_yet() {
    let large = "payload ".repeat(25_000);
    let mut pair = Pair::new(1);
    let call = pair.call(pair.request("greet", "hello"));
    pair.exchange();
    let invocation = pair.invoked();
    let origin = pair.callee.origin(Abilities::NONE);
    let outbound = pair.callee.streams.respond(invocation.id, Ok(large.clone()), &origin).unwrap();
    pair.callee.send(outbound);
    pair.exchange();
    assert_eq!(pair.answer(call).unwrap(), large);
}

#[test]
fn compressed_payloads_are_read() {
    let large = "payload ".repeat(25_000);
    let mut pair = Pair::new(2);
    let call = pair.call(pair.request("greet", &large));
    assert_eq!(pair.caller.sent.len(), 1);
    pair.exchange();
    let mut invocation = pair.invoked();
    assert_eq!(invocation.take_payload().unwrap(), large);
    pair.respond(invocation.id, Ok(large.clone()));
    assert_eq!(pair.answer(call).unwrap(), large);
}

#[test]
fn an_error_of_the_method_is_the_callers() {
    for version in BOTH {
        let mut pair = Pair::new(version);
        let call = pair.call(pair.request("greet", ""));
        pair.exchange();
        let invocation = pair.invoked();
        let busy = RpcError::new(101, "busy", "until noon");
        pair.respond(invocation.id, Err(busy.clone()));
        assert_eq!(pair.answer(call), Err(busy));
    }
}

#[test]
fn an_unknown_method_is_said_at_once() {
    for version in BOTH {
        let mut pair = Pair::new(version);
        let call = pair.call(pair.request("dance", ""));
        pair.exchange();
        assert_eq!(pair.answer(call), code(RpcErrorCode::UnsupportedMethod));
        assert!(pair.callee.events.is_empty());
        pair.callee.streams.unregister_method("greet");
        let call = pair.call(pair.request("greet", ""));
        pair.exchange();
        assert_eq!(pair.answer(call), code(RpcErrorCode::UnsupportedMethod));
    }
}

#[test]
fn at_first_calls_wait_for_their_method() {
    for version in BOTH {
        let mut pair = Pair::new(version);
        let until = pair.now + Duration::from_secs(2);
        pair.callee.streams.hold_until(until);
        let [late, never] = ["late", "never"].map(|method| pair.call(pair.request(method, "")));
        pair.exchange();
        assert!(pair.callee.events.is_empty() && pair.caller.events.is_empty());
        pair.callee.streams.register_method("late").unwrap();
        pair.exchange();
        let invocation = pair.invoked();
        pair.respond(invocation.id, Ok("here".to_owned()));
        assert_eq!(pair.answer(late).unwrap(), "here");
        assert_eq!(pair.callee.wake, Some(until));
        pair.callee.streams.handle_timeout(until);
        pair.exchange();
        assert_eq!(pair.answer(never), code(RpcErrorCode::UnsupportedMethod));
        let call = pair.call(pair.request("never", ""));
        pair.exchange();
        assert_eq!(pair.answer(call), code(RpcErrorCode::UnsupportedMethod));
    }
}

#[test]
fn a_call_that_does_not_arrive_ends_after_seven_seconds() {
    for version in BOTH {
        let mut pair = Pair::new(version);
        let call = pair.call(pair.request("greet", ""));
        pair.caller.settle();
        assert_eq!(pair.caller.wake, Some(pair.now + Duration::from_secs(7)));
        pair.wait(Duration::from_millis(6_999));
        assert!(pair.caller.events.is_empty());
        pair.wait(Duration::from_millis(1));
        assert_eq!(pair.answer(call), code(RpcErrorCode::ConnectionTimeout));
    }
}

#[test]
fn a_call_that_is_not_answered_ends_after_its_timeout() {
    for version in BOTH {
        let mut pair = Pair::new(version);
        let request = CallRequest { response_timeout: Duration::from_secs(10), ..pair.request("greet", "") };
        let call = pair.call(request);
        pair.exchange();
        let invocation = pair.invoked();
        assert_eq!(invocation.response_timeout, Duration::from_secs(10));
        assert_eq!(pair.caller.wake, Some(pair.now + Duration::from_secs(10)));
        pair.wait(Duration::from_secs(10));
        assert_eq!(pair.answer(call), code(RpcErrorCode::ResponseTimeout));
        pair.respond(invocation.id, Ok("late".to_owned()));
        assert!(pair.caller.events.is_empty());
        assert_eq!(pair.caller.streams.rpc_counters().unexpected, 1);
    }
}

#[test]
fn any_timeout_will_do() {
    for version in BOTH {
        for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(3), Duration::MAX] {
            let mut pair = Pair::new(version);
            let call = pair.call(CallRequest { response_timeout: timeout, ..pair.request("greet", "") });
            pair.exchange();
            // The other side is told to take its time.
            assert!(pair.invoked().response_timeout >= Duration::from_secs(8));
            pair.wait(timeout.min(Duration::from_secs(4_294_968)));
            assert_eq!(pair.answer(call), code(RpcErrorCode::ResponseTimeout));
        }
    }
}

#[test]
fn one_who_leaves_does_not_answer() {
    for version in BOTH {
        let mut pair = Pair::new(version);
        let [first, second] = ["1", "2"].map(|payload| pair.call(pair.request("greet", payload)));
        pair.caller.streams.participant_left("somebody else");
        pair.caller.settle();
        assert!(pair.caller.events.is_empty());
        pair.exchange();
        pair.caller.streams.participant_left("callee");
        pair.caller.settle();
        pair.caller.events.reverse();
        for call in [first, second] {
            let Some(Event::Answered(found, answer)) = pair.caller.events.pop() else {
                panic!("it has ended")
            };
            assert_eq!((found, answer.into_result()), (call, code(RpcErrorCode::RecipientDisconnected)));
        }
        // And one who calls and leaves is not answered.
        let Some(Event::Invoked(invocation)) = pair.callee.events.pop() else { panic!("it is called") };
        assert_eq!(pair.callee.streams.caller(invocation.id), Some("caller"));
        pair.callee.streams.participant_left("caller");
        assert_eq!(pair.callee.streams.caller(invocation.id), None);
        let origin = pair.callee.origin(Abilities::NONE);
        assert!(pair.callee.streams.respond(invocation.id, Ok(String::new()), &origin).is_none());
    }
}

#[test]
fn nobody_answers_for_another() {
    let mut pair = Pair::new(0);
    let call = pair.call(pair.request("greet", ""));
    let PacketValue::RpcRequest(request) = pair.caller.sent[0].value.clone() else { panic!("a request") };
    let forged = || RpcResponse {
        request_id: request.id.clone(),
        result: Some(RpcResult::Payload("forged".to_owned())),
    };
    let packet = PacketValue::RpcResponse(forged()).reliable(Vec::new());
    pair.caller.receive("mallory", &packet, pair.now);
    let ack = PacketValue::RpcAck(RpcAck { request_id: request.id.clone() }).reliable(Vec::new());
    pair.caller.receive("mallory", &ack, pair.now);
    assert!(pair.caller.events.is_empty());
    assert_eq!(pair.caller.streams.rpc_counters().unexpected, 2);
    pair.wait(ACK_TIMEOUT);
    assert_eq!(pair.answer(call), code(RpcErrorCode::ConnectionTimeout));
    // As a stream.
    let mut pair = Pair::new(1);
    let call = pair.call(pair.request("greet", ""));
    let PacketValue::StreamHeader(header) = pair.caller.sent[0].value.clone() else { panic!("a header") };
    let mut mallory = Side::new("mallory");
    let id = header.attributes["lk.rpc_request_id"].clone();
    let options = StreamOptions {
        attributes: BTreeMap::from([("lk.rpc_request_id".to_owned(), id)]),
        ..StreamOptions::text("lk.rpc_response")
    };
    let origin = mallory.origin(Abilities::NONE);
    for packet in Sending::new(options, "forged", &origin).unwrap() {
        pair.caller.receive("mallory", &packet, pair.now);
    }
    assert!(pair.caller.events.is_empty());
    pair.exchange();
    let invocation = pair.invoked();
    pair.respond(invocation.id, Ok("real".to_owned()));
    assert_eq!(pair.answer(call).unwrap(), "real");
}

#[test]
fn a_call_that_comes_twice_is_answered_once() {
    for version in BOTH {
        let mut pair = Pair::new(version);
        pair.call(pair.request("greet", ""));
        let packets = pair.caller.sent.clone();
        for packet in packets.iter().chain(&packets) {
            pair.callee.receive("caller", packet, pair.now);
        }
        pair.invoked();
        let acks = pair.callee.sent.iter().filter(|packet| matches!(packet.value, PacketValue::RpcAck(_)));
        assert_eq!(acks.count(), 1);
        assert_eq!(pair.callee.streams.rpc_counters().duplicates, 1);
    }
}

#[test]
fn a_server_calls_as_well() {
    let mut pair = Pair::new(0);
    let request = RpcRequest {
        id: "RPC_1".to_owned(),
        method: "greet".to_owned(),
        payload: "hi".to_owned(),
        response_timeout_ms: 10_000,
        version: 1,
        ..RpcRequest::default()
    };
    let packet = PacketValue::RpcRequest(request).reliable(vec!["callee".to_owned()]);
    pair.callee.receive("RPC_1", &packet, pair.now);
    let invocation = pair.invoked();
    assert_eq!(invocation.caller, "RPC_1");
    let origin = pair.callee.origin(Abilities::NONE);
    let Some(Outbound::Packet(packet)) =
        pair.callee.streams.respond(invocation.id, Ok("hello".to_owned()), &origin)
    else {
        panic!("a packet")
    };
    assert_eq!(packet.destination_identities, ["RPC_1"]);
    let response =
        RpcResponse { request_id: "RPC_1".to_owned(), result: Some(RpcResult::Payload("hello".to_owned())) };
    assert_eq!(packet.value, PacketValue::RpcResponse(response));
}

#[test]
fn other_versions_are_refused() {
    let mut pair = Pair::new(0);
    let request =
        RpcRequest { id: "1".to_owned(), method: "greet".to_owned(), version: 2, ..RpcRequest::default() };
    pair.callee.receive("caller", &PacketValue::RpcRequest(request).reliable(Vec::new()), pair.now);
    let attributes = |version: &str, id: &str| {
        let pairs = [
            ("lk.rpc_request_id", id),
            ("lk.rpc_request_method", "greet"),
            ("lk.rpc_request_response_timeout_ms", "8000.5"),
            ("lk.rpc_request_version", version),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    };
    for (version, id) in [("3", "2"), ("none", "3"), ("2", ""), ("2", "4")] {
        let options =
            StreamOptions { attributes: attributes(version, id), ..StreamOptions::text("lk.rpc_request") };
        let origin = pair.caller.origin(Abilities::NONE);
        for packet in Sending::new(options, "x", &origin).unwrap() {
            pair.callee.receive("caller", &packet, pair.now);
        }
    }
    let errors = pair.callee.sent.iter().filter_map(|packet| match &packet.value {
        PacketValue::RpcResponse(RpcResponse { request_id, result: Some(RpcResult::Error(error)) }) => {
            Some((&**request_id, error.code, &*error.data))
        }
        _ => None,
    });
    let expected = [("1", 1404, ""), ("2", 1404, ""), ("3", 1500, "RPC data stream malformed")];
    assert_eq!(errors.collect::<Vec<_>>(), expected);
    assert_eq!(pair.invoked().response_timeout, Duration::from_millis(8_000));
    assert_eq!(pair.callee.streams.rpc_counters().malformed, 2);
}

#[test]
fn old_servers_are_not_asked() {
    let mut pair = Pair::new(0);
    let request = CallRequest { server_version: "1.7.2".to_owned(), ..pair.request("greet", "") };
    let error = pair.caller.streams.call(request, pair.now).unwrap_err();
    assert_eq!(error, RpcErrorCode::UnsupportedServer.into());
}

#[test]
fn a_payload_that_is_damaged_is_an_error_on_either_side() {
    let mut pair = Pair::new(1);
    let call = pair.call(pair.request("greet", "hello"));
    // Its chunk never comes.
    pair.caller.sent.remove(1);
    pair.exchange();
    let mut invocation = pair.invoked();
    let error = invocation.take_payload().unwrap_err();
    assert_eq!((error.code(), error.data()), (1500, "Error reading RPC request payload"));
    pair.respond(invocation.id, Err(error.clone()));
    assert_eq!(pair.answer(call), Err(error));

    let call = pair.call(pair.request("greet", "hello"));
    pair.exchange();
    let invocation = pair.invoked();
    let origin = pair.callee.origin(pair.abilities());
    let outbound = pair.callee.streams.respond(invocation.id, Ok("x".repeat(40_000)), &origin).unwrap();
    pair.callee.send(outbound);
    pair.callee.sent.remove(2);
    pair.exchange();
    let error = pair.answer(call).unwrap_err();
    assert_eq!((error.code(), error.data()), (1500, "Error reading RPC response payload"));
}

#[test]
fn nobody_keeps_others_from_calling() {
    let config = StreamsConfig {
        rpc: RpcConfig { invocations_per_caller_max: 2, invocations_max: 3, ..RpcConfig::default() },
        ..StreamsConfig::default()
    };
    let mut callee = Side::with("callee", config);
    callee.streams.register_method("greet").unwrap();
    let now = Instant::now();
    for (caller, id) in [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("c", "1")] {
        let request =
            RpcRequest { id: id.to_owned(), method: "greet".to_owned(), version: 1, ..RpcRequest::default() };
        callee.receive(caller, &PacketValue::RpcRequest(request).reliable(Vec::new()), now);
    }
    assert_eq!((callee.events.len(), callee.streams.rpc_counters().refused), (3, 2));
}

#[test]
fn a_payload_beyond_the_bound_is_refused() {
    let config = StreamsConfig {
        rpc: RpcConfig { payload_bytes_max: 50_000, ..RpcConfig::default() },
        ..StreamsConfig::default()
    };
    let mut pair = Pair::new(2);
    pair.callee = Side::with("callee", config);
    pair.callee.streams.register_method("greet").unwrap();
    // As it comes, and compressed.
    let mut rng = Rng::with_seed(3);
    let noise: String = std::iter::repeat_with(|| rng.alphanumeric()).take(200_000).collect();
    let call = pair.call(pair.request("greet", &noise));
    pair.exchange();
    assert_eq!(pair.answer(call), code(RpcErrorCode::RequestPayloadTooLarge));
    let call = pair.call(pair.request("greet", &"x".repeat(200_000)));
    pair.exchange();
    let mut invocation = pair.invoked();
    let error = invocation.take_payload().unwrap_err();
    pair.respond(invocation.id, Err(error));
    assert_eq!(pair.answer(call).unwrap_err().code(), 1500);
}

#[test]
fn an_answer_may_come_before_the_confirmation() {
    let mut pair = Pair::new(0);
    let call = pair.call(pair.request("greet", ""));
    let PacketValue::RpcRequest(request) = pair.caller.sent[0].value.clone() else { panic!("a request") };
    let error = RpcErrorInfo { code: 7, message: "no".to_owned(), data: String::new() };
    let response = RpcResponse { request_id: request.id.clone(), result: Some(RpcResult::Error(error)) };
    pair.caller.receive("callee", &PacketValue::RpcResponse(response).reliable(Vec::new()), pair.now);
    assert_eq!(pair.answer(call).unwrap_err().code(), 7);
    let ack = PacketValue::RpcAck(RpcAck { request_id: request.id }).reliable(Vec::new());
    pair.caller.receive("callee", &ack, pair.now);
    pair.wait(Duration::from_secs(60));
    assert!(pair.caller.events.is_empty());
}

#[test]
fn a_cancelled_call_is_answered_to_nobody() {
    for version in BOTH {
        let mut pair = Pair::new(version);
        let call = pair.call(pair.request("greet", ""));
        pair.exchange();
        let invocation = pair.invoked();
        pair.caller.streams.cancel_call(call);
        pair.respond(invocation.id, Ok("x".repeat(10)));
        assert!(pair.caller.events.is_empty());
        assert_eq!(pair.caller.wake, None);
    }
}
