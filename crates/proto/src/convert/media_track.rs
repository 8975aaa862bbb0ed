//! Media tracks.

use livekit_protocol as pb;

use super::enums::FromNumber;
use crate::data_track::Encryption;
use crate::media_track::{TrackCodec, TrackInfo, TrackKind, VideoLayer};

#[allow(
    deprecated,
    reason = "older clients read the fields that `codecs` and `audio_features` have replaced"
)]
impl From<&TrackInfo> for pb::TrackInfo {
    fn from(track: &TrackInfo) -> Self {
        Self {
            sid: track.sid.clone(),
            r#type: track.kind.number(),
            name: track.name.clone(),
            muted: track.muted,
            width: track.width,
            height: track.height,
            simulcast: track.simulcast,
            disable_dtx: track.disable_dtx,
            source: track.source,
            layers: track.layers.iter().map(Into::into).collect(),
            mime_type: track.mime_type.clone(),
            mid: track.mid.clone(),
            codecs: track.codecs.iter().map(Into::into).collect(),
            stereo: track.stereo,
            disable_red: track.disable_red,
            encryption: track.encryption.number(),
            stream: track.stream.clone(),
            version: None,
            audio_features: track.audio_features.clone(),
            backup_codec_policy: track.backup_codec_policy,
            packet_trailer_features: track.packet_trailer_features.clone(),
        }
    }
}

#[allow(
    deprecated,
    reason = "older servers fill the fields that `codecs` and `audio_features` have replaced"
)]
impl From<pb::TrackInfo> for TrackInfo {
    fn from(track: pb::TrackInfo) -> Self {
        Self {
            sid: track.sid,
            kind: TrackKind::from_number(track.r#type),
            name: track.name,
            muted: track.muted,
            width: track.width,
            height: track.height,
            simulcast: track.simulcast,
            disable_dtx: track.disable_dtx,
            source: track.source,
            layers: track.layers.into_iter().map(Into::into).collect(),
            mime_type: track.mime_type,
            mid: track.mid,
            codecs: track.codecs.into_iter().map(Into::into).collect(),
            stereo: track.stereo,
            disable_red: track.disable_red,
            encryption: Encryption::from_number(track.encryption),
            stream: track.stream,
            audio_features: track.audio_features,
            backup_codec_policy: track.backup_codec_policy,
            packet_trailer_features: track.packet_trailer_features,
        }
    }
}

impl From<&VideoLayer> for pb::VideoLayer {
    fn from(layer: &VideoLayer) -> Self {
        Self {
            quality: layer.quality,
            width: layer.width,
            height: layer.height,
            bitrate: layer.bitrate,
            ssrc: layer.ssrc,
            spatial_layer: layer.spatial_layer,
            rid: layer.rid.clone(),
            repair_ssrc: layer.repair_ssrc,
        }
    }
}

impl From<pb::VideoLayer> for VideoLayer {
    fn from(layer: pb::VideoLayer) -> Self {
        Self {
            quality: layer.quality,
            width: layer.width,
            height: layer.height,
            bitrate: layer.bitrate,
            ssrc: layer.ssrc,
            spatial_layer: layer.spatial_layer,
            rid: layer.rid,
            repair_ssrc: layer.repair_ssrc,
        }
    }
}

impl From<&TrackCodec> for pb::SimulcastCodecInfo {
    fn from(codec: &TrackCodec) -> Self {
        Self {
            mime_type: codec.mime_type.clone(),
            mid: codec.mid.clone(),
            cid: codec.cid.clone(),
            layers: codec.layers.iter().map(Into::into).collect(),
            video_layer_mode: codec.video_layer_mode,
            sdp_cid: codec.sdp_cid.clone(),
        }
    }
}

impl From<pb::SimulcastCodecInfo> for TrackCodec {
    fn from(codec: pb::SimulcastCodecInfo) -> Self {
        Self {
            mime_type: codec.mime_type,
            mid: codec.mid,
            cid: codec.cid,
            layers: codec.layers.into_iter().map(Into::into).collect(),
            video_layer_mode: codec.video_layer_mode,
            sdp_cid: codec.sdp_cid,
        }
    }
}
