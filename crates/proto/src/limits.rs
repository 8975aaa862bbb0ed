//! Bounds of everything that comes from outside.

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
/// A message of a server, as a client accepts it: a room of tens of thousands of tracks fits.
pub const SERVER_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// Parts of one signal message: a subscription to every possible track of a participant, with its
/// fields, fits.
pub const MESSAGE_PARTS_MAX: usize = 256 * 1024;
/// Objects of one signal message in JSON, which official clients do not speak.
pub const JSON_OBJECTS_MAX: usize = 80 * 1024;
/// Media tracks asked for along with a join.
pub const JOIN_TRACKS_MAX: usize = 64;
/// Fields of all those tracks, and of their layers and codecs.
pub const JOIN_TRACK_PARTS_MAX: usize = 16 * 1024;
/// The JSON of one ICE candidate.
pub const CANDIDATE_INIT_BYTES: usize = 4096;
/// The payload of a data track's last will, in the clear.
pub const LAST_WILL_PAYLOAD_BYTES: usize = 1_200;
/// A data track's last will: one packet, with header, extensions and what encryption adds.
pub const LAST_WILL_BYTES: usize = 1_280;
/// The last wills of all data tracks of a participant.
pub const LAST_WILLS_BYTES: usize = 256 * 1024;
/// A blob's key.
pub const BLOB_KEY_BYTES: usize = 256;
/// All blobs of a participant, keys and contents.
pub const BLOBS_BYTES: usize = 64_000;
/// A packet of `_reliable` or `_lossy`: what a data channel's reader takes (protocol §4.6).
pub const DATA_PACKET_BYTES: usize = 65_535;
/// A request of the server API, and an answer to one (protocol §1.1).
pub const API_BODY_BYTES: usize = 10 * 1024 * 1024;
/// An answer of a server's API, as a client of it accepts it: tens of thousands of rooms or participants.
pub const API_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// A webhook's body: a room's and a participant's metadata and attributes fit, mostly text.
pub const WEBHOOK_BYTES: usize = 4 * 1024 * 1024;
/// The payload of a call, or of its answer, in one packet (protocol §6.3).
pub const RPC_PAYLOAD_BYTES: usize = 15_360;
