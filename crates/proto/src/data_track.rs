//! A published data track as the wire describes it (protocol §5.1, §5.7).

/// What a participant announces about one of its data tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTrackInfo {
    /// The publisher's handle, in every packet it sends; 1..=65535.
    pub pub_handle: u16,
    /// `DTR_…`, new at each publication.
    pub sid: String,
    /// 1..=256 bytes, unique within the participant.
    pub name: String,
    /// Whether the frames' payloads are encrypted end to end.
    pub encryption: Encryption,
    /// How a frame's payload is encoded; relayed, never read.
    pub frame_encoding: Option<FrameEncoding>,
    /// Which schema describes the payload; relayed, never read.
    pub schema: Option<Schema>,
}

/// End-to-end encryption of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encryption {
    /// Payloads are in the clear.
    #[default]
    None,
    /// AES-GCM, the only kind official clients use for data tracks.
    Gcm,
    /// An application's own; official Rust clients discard every track of an update that holds one.
    Custom,
}

/// A well-known encoding by its number on the wire, or an application's own name for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameEncoding {
    /// As numbered by the protocol; unknown numbers pass through.
    WellKnown(i32),
    /// 1..=32 bytes.
    Custom(String),
}

/// Those that are well known (protocol §5.7).
#[allow(missing_docs, reason = "the names of formats")]
impl FrameEncoding {
    pub const ROS1: Self = Self::WellKnown(1);
    pub const CDR: Self = Self::WellKnown(2);
    pub const PROTOBUF: Self = Self::WellKnown(3);
    pub const FLATBUFFER: Self = Self::WellKnown(4);
    pub const CBOR: Self = Self::WellKnown(5);
    pub const MSGPACK: Self = Self::WellKnown(6);
    pub const JSON: Self = Self::WellKnown(7);

    /// An application's own, of 1 to 32 bytes. Pictures of one JPEG each are called `mjpeg` here.
    pub fn custom(name: impl Into<String>) -> Self {
        Self::Custom(name.into())
    }
}

/// The schema of a track's payload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Schema {
    /// The schema's name, for example a message type.
    pub name: String,
    /// The language the schema is written in.
    pub encoding: Option<SchemaEncoding>,
}

/// A well-known schema language by its number on the wire, or an application's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SchemaEncoding {
    /// As numbered by the protocol; unknown numbers pass through.
    WellKnown(i32),
    /// 1..=32 bytes.
    Custom(String),
}

/// Those that are well known (protocol §5.7).
#[allow(missing_docs, reason = "the names of schema languages")]
impl SchemaEncoding {
    pub const PROTOBUF: Self = Self::WellKnown(1);
    pub const FLATBUFFER: Self = Self::WellKnown(2);
    pub const ROS1_MSG: Self = Self::WellKnown(3);
    pub const ROS2_MSG: Self = Self::WellKnown(4);
    pub const ROS2_IDL: Self = Self::WellKnown(5);
    pub const OMG_IDL: Self = Self::WellKnown(6);
    pub const JSON_SCHEMA: Self = Self::WellKnown(7);
}
