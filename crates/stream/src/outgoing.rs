//! Streams on their way out: a header, chunks, a trailer (protocol §6.4).

mod deflate;
mod options;
mod sending;
#[cfg(test)]
mod tests;
mod writer;

pub use deflate::is_worth_compressing;
pub use options::{Compress, Origin, StreamOptions};
pub use sending::Sending;
pub use writer::Writer;

/// What a chunk holds at most, and what a header's packet takes at most.
pub const CHUNK_BYTES: usize = 15_000;
