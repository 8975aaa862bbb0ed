//! Calls between participants, both sides and both versions (protocol §6.5).

mod answering;
mod attributes;
mod call;
mod calling;
mod error;
mod invocation;
mod recent;

use std::time::Duration;

use trackyard_proto::DataPacket;
use trackyard_proto::packet::PacketValue;

pub(crate) use answering::Answering;
pub use call::{Answer, CallId, CallRequest, Payload};
pub(crate) use calling::Calling;
pub use error::{RPC_DATA_BYTES, RPC_MESSAGE_BYTES, RpcError, RpcErrorCode};
pub use invocation::{Invocation, InvocationId, MethodTaken};

use crate::Sending;

/// How long a call may take to arrive.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(7);
/// How long a call may take in all, unless the caller says otherwise.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);
/// What a payload may take where either side speaks version 1.
pub const RPC_PAYLOAD_BYTES: usize = 15_360;

/// The topic of calls that are text streams.
pub(crate) const REQUEST_TOPIC: &str = "lk.rpc_request";
/// The topic of their results.
pub(crate) const RESPONSE_TOPIC: &str = "lk.rpc_response";

/// Bounds of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RpcConfig {
    /// Calls of this client that wait for their result.
    pub calls_max: usize,
    /// Calls of others that wait for this client's answer.
    pub invocations_max: usize,
    /// Of those, of one caller.
    pub invocations_per_caller_max: usize,
    /// Calls of others that wait for somebody to register their method, at the beginning of a session.
    pub held_max: usize,
    /// What a payload may take, compressed or not.
    pub payload_bytes_max: usize,
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self {
            calls_max: 1024,
            invocations_max: 256,
            invocations_per_caller_max: 64,
            held_max: 64,
            payload_bytes_max: 16 * 1024 * 1024,
        }
    }
}

/// What has become of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RpcCounters {
    /// Calls of this client that were made.
    pub called: u64,
    /// Of those, answered, with a payload or an error.
    pub answered: u64,
    /// Calls of others that were handed to a method.
    pub invoked: u64,
    /// Calls of others beyond the bounds.
    pub refused: u64,
    /// Calls of others that had come before.
    pub duplicates: u64,
    /// Calls of others without what every call has.
    pub malformed: u64,
    /// Confirmations and results of no call that waits, or from another participant than was called.
    pub unexpected: u64,
}

/// What is to be sent for a call.
#[derive(Debug)]
pub enum Outbound {
    /// One packet, which may overtake streams.
    Packet(DataPacket),
    /// A text stream.
    Stream(Sending),
}

fn packet(value: PacketValue, to: &str) -> DataPacket {
    value.reliable(vec![to.to_owned()])
}
