//! Data-track packets, version 0 (protocol §5.4, §5.5): parse, build, patch, cut and reassemble.
//!
//! A forwarder reads the header of 12 bytes, patches two of them and passes the rest on as it came.
//! This crate never allocates to parse, never touches a payload on that path, and knows no track
//! or room. It needs `alloc` for building and reassembling only.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod builder;
mod extension;
mod handle;
mod header;
mod header_bytes;
mod mark;
mod number;
mod packetizer;
mod reassembler;

pub use builder::{BufferTooSmall, PacketBuilder};
pub use extension::{Encryption, Extension, ExtensionIter, Extensions, id};
pub use handle::Handle;
pub use header::{Header, ParseError, patch_frame, patch_handle};
pub use header_bytes::HeaderBytes;
pub use mark::{MARKED_BYTES_MAX, is_marked, with_mark};
pub use number::{FrameNumber, Sequence};
pub use packetizer::{
    PACKET_BYTES_DEFAULT, PACKETS_PER_FRAME_MAX, PacketSizeError, PacketizeError, Packetizer, Packets,
    SourceFrame,
};
pub use reassembler::{DropReason, Dropped, Frame, Pushed, Reassembler};

/// Bytes of a header without extensions.
pub const HEADER_BYTES: usize = 12;

/// Bytes of the longest header this crate writes: encryption and user timestamp.
pub const HEADER_BYTES_MAX: usize = 40;
