//! Bounds of everything that comes from outside (design §9).

/// A signal message, compressed or not (protocol §1.5).
pub const SIGNAL_MESSAGE_BYTES: usize = 2 * 1024 * 1024;
/// A join request, compressed or inflated (protocol §1.3).
pub const JOIN_REQUEST_BYTES: usize = 1024 * 1024;
/// A participant's identity, a room's, a participant's or a data track's name.
pub const NAME_BYTES: usize = 256;
/// A room's or a participant's metadata.
pub const METADATA_BYTES: usize = 512 * 1024;
/// A participant's attributes, keys and values.
pub const ATTRIBUTES_BYTES: usize = 64 * 1024;
/// The name of an application's own frame or schema encoding.
pub const CUSTOM_ENCODING_BYTES: usize = 32;
