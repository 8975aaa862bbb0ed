//! A published media track as others see it (protocol §8.1). This server carries none; others' do.

use crate::data_track::Encryption;

/// What a participant announces about one of its audio or video tracks (`TrackInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol's own fields")]
pub struct TrackInfo {
    /// `TR_…`.
    pub sid: String,
    /// What it carries.
    pub kind: TrackKind,
    /// Chosen by the publisher.
    pub name: String,
    /// It carries nothing at the moment.
    pub muted: bool,
    /// Of video, in pixels.
    pub width: u32,
    /// Of video, in pixels.
    pub height: u32,
    /// It has several layers.
    pub simulcast: bool,
    /// Audio is sent through silence, too.
    pub disable_dtx: bool,
    /// Where it comes from, by its number on the wire.
    pub source: i32,
    /// Layers of video.
    pub layers: Vec<VideoLayer>,
    /// Its codec.
    pub mime_type: String,
    /// Its section in the session description.
    pub mid: String,
    /// All its codecs.
    pub codecs: Vec<TrackCodec>,
    /// Audio has two channels.
    pub stereo: bool,
    /// Audio is sent without redundancy.
    pub disable_red: bool,
    /// Whether it is encrypted end to end.
    pub encryption: Encryption,
    /// Tracks of one stream are synchronised.
    pub stream: String,
    /// Numbers of its audio features, passed through.
    pub audio_features: Vec<i32>,
    /// What becomes of the backup codec, by its number on the wire.
    pub backup_codec_policy: i32,
    /// Numbers of what its packets carry at their end, passed through.
    pub packet_trailer_features: Vec<i32>,
}

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub enum TrackKind {
    #[default]
    Audio,
    Video,
    Data,
}

/// One layer of a video track.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub struct VideoLayer {
    /// By its number on the wire: low, medium, high, off.
    pub quality: i32,
    pub width: u32,
    pub height: u32,
    pub bitrate: u32,
    pub ssrc: u32,
    pub spatial_layer: i32,
    pub rid: String,
    pub repair_ssrc: u32,
}

/// One codec of a track.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub struct TrackCodec {
    pub mime_type: String,
    pub mid: String,
    pub cid: String,
    pub layers: Vec<VideoLayer>,
    /// By its number on the wire.
    pub video_layer_mode: i32,
    pub sdp_cid: String,
}
