//! What participants send each other over `_reliable` and `_lossy` (protocol §6).
//!
//! A client reads and writes these; a server passes the bytes on and reads only what it must. What
//! this code has no name for is [`PacketValue::Other`] and is not kept.

mod codec;
mod encrypted;
mod rpc;
mod stream;
mod user;

pub use codec::{PacketError, put_sequence};
pub use encrypted::EncryptedPacket;
pub use rpc::{RpcAck, RpcErrorInfo, RpcRequest, RpcResponse, RpcResult};
pub use stream::{
    Compression, StreamChunk, StreamContent, StreamHeader, StreamTrailer, TextHeader, TextOperation,
};
pub use user::UserPacket;

/// One message of `_reliable` or `_lossy`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataPacket {
    /// The channel it travels on; a server overwrites it with the channel it came by.
    pub kind: PacketKind,
    /// `PA_…` of who sent it; set by the server.
    pub participant_sid: String,
    /// Who sent it; set by the server, but for what a server says itself.
    pub participant_identity: String,
    /// Who shall get it; empty means everyone else.
    pub destination_identities: Vec<String>,
    /// The sender's count of its reliable packets, from 1; 0 where nothing counts.
    pub sequence: u32,
    /// What it holds.
    pub value: PacketValue,
}

/// Which channel a packet travels on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum PacketKind {
    /// In order, repeated until it arrives.
    #[default]
    Reliable,
    /// Sent once, in no order.
    Lossy,
}

/// What a packet holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PacketValue {
    /// An application's own message.
    User(UserPacket),
    /// The first packet of a stream.
    StreamHeader(StreamHeader),
    /// A part of a stream.
    StreamChunk(StreamChunk),
    /// The last packet of a stream.
    StreamTrailer(StreamTrailer),
    /// A call, version 1.
    RpcRequest(RpcRequest),
    /// A call has arrived.
    RpcAck(RpcAck),
    /// A call's result.
    RpcResponse(RpcResponse),
    /// Any of the above, encrypted end to end.
    Encrypted(EncryptedPacket),
    /// Nothing, or nothing that this code has a name for.
    #[default]
    Other,
}

impl PacketValue {
    /// A reliable packet with this value to these participants, not numbered yet.
    pub fn reliable(self, destination_identities: Vec<String>) -> DataPacket {
        DataPacket { destination_identities, value: self, ..DataPacket::default() }
    }
}
