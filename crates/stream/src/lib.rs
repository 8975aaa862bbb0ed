//! Text and byte streams and calls between participants, on the client's side (protocol §6.4, §6.5).
//!
//! What is sent becomes packets for an ordered reliable channel, and what such a channel brings
//! becomes streams and calls again, in both versions that official clients speak. Everything that
//! comes from others is bounded; what cannot be is refused with a typed error and counted.
//!
//! It never opens a socket, reads a clock, draws a random number that it was not given, or logs.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests need a moment to begin at"))]

mod abilities;
mod error;
mod incoming;
mod info;
mod outgoing;
mod rpc;
mod streams;

pub use abilities::Abilities;
pub use error::StreamError;
pub use incoming::{Content, IncomingConfig, IncomingCounters, Medium, StreamKey, Taken, TopicTaken};
pub use info::StreamInfo;
pub use outgoing::{CHUNK_BYTES, Compress, Origin, Sending, StreamOptions, Writer, is_worth_compressing};
pub use rpc::{
    ACK_TIMEOUT, Answer, CallId, CallRequest, Invocation, InvocationId, MethodTaken, Outbound, Payload,
    RESPONSE_TIMEOUT, RPC_DATA_BYTES, RPC_MESSAGE_BYTES, RPC_PAYLOAD_BYTES, RpcConfig, RpcCounters, RpcError,
    RpcErrorCode,
};
pub use streams::{Event, Output, Streams, StreamsConfig, random_id};
