//! Numbers of enumerations in messages that go out as JSON.
//!
//! Binary peers may send numbers that name nothing here, and they are passed on as they came. The
//! JSON mapping spells enumerations by name, so there such a number cannot be written: it is left
//! out of a list and becomes the default elsewhere.

use livekit_protocol as pb;
use pb::data_track_frame_encoding::{Value as FrameValue, WellKnownFrameEncoding};
use pb::data_track_schema_encoding::{Value as SchemaValue, WellKnownSchemaEncoding};
use pb::request_response::Request as Echo;
use pb::{signal_request, signal_response};

/// Makes a response one that can be written as JSON.
pub(crate) fn known_response(response: &mut pb::SignalResponse) {
    use signal_response::Message;
    match &mut response.message {
        Some(Message::Join(join)) => {
            join.participant.iter_mut().chain(&mut join.other_participants).for_each(known_participant);
        }
        Some(Message::Update(update)) => update.participants.iter_mut().for_each(known_participant),
        Some(Message::PublishDataTrackResponse(published)) => published.info.iter_mut().for_each(track),
        Some(Message::UnpublishDataTrackResponse(gone)) => gone.info.iter_mut().for_each(track),
        Some(Message::StoreDataBlobResponse(stored)) => stored.key.iter_mut().for_each(blob_key),
        Some(Message::GetDataBlobResponse(found)) => found.blob.iter_mut().for_each(blob),
        Some(Message::RequestResponse(answer)) => answer.request.iter_mut().for_each(echo),
        _ => {}
    }
}

/// Makes a request one that can be written as JSON.
pub(crate) fn known_request(request: &mut pb::SignalRequest) {
    use signal_request::Message;
    match &mut request.message {
        Some(Message::AddTrack(request)) => add_track(request),
        Some(Message::PublishDataTrackRequest(request)) => publish(request),
        Some(Message::StoreDataBlobRequest(request)) => request.blob.iter_mut().for_each(blob),
        Some(Message::GetDataBlobRequest(request)) => request.key.iter_mut().for_each(blob_key),
        _ => {}
    }
}

/// Makes a participant one that can be written as JSON.
pub(crate) fn known_participant(info: &mut pb::ParticipantInfo) {
    list::<pb::participant_info::KindDetail>(&mut info.kind_details);
    list::<pb::client_info::Capability>(&mut info.capabilities);
    if let Some(permission) = &mut info.permission {
        list::<pb::TrackSource>(&mut permission.can_publish_sources);
    }
    info.tracks.iter_mut().for_each(known_track);
    info.data_tracks.iter_mut().for_each(track);
}

/// Makes a media track one that can be written as JSON.
#[allow(deprecated, reason = "older clients read the layers that `codecs` has replaced")]
pub(crate) fn known_track(info: &mut pb::TrackInfo) {
    one::<pb::TrackSource>(&mut info.source);
    one::<pb::BackupCodecPolicy>(&mut info.backup_codec_policy);
    list::<pb::AudioTrackFeature>(&mut info.audio_features);
    list::<pb::PacketTrailerFeature>(&mut info.packet_trailer_features);
    info.layers.iter_mut().for_each(layer);
    for codec in &mut info.codecs {
        one::<pb::video_layer::Mode>(&mut codec.video_layer_mode);
        codec.layers.iter_mut().for_each(layer);
    }
}

fn track(info: &mut pb::DataTrackInfo) {
    typed(&mut info.frame_encoding, &mut info.schema);
}

fn echo(request: &mut Echo) {
    match request {
        Echo::Trickle(trickle) => one::<pb::SignalTarget>(&mut trickle.target),
        Echo::AddTrack(request) => add_track(request),
        Echo::PublishDataTrack(request) => publish(request),
        Echo::UpdateAudioTrack(update) => list::<pb::AudioTrackFeature>(&mut update.features),
        Echo::Mute(_) | Echo::UpdateMetadata(_) | Echo::UpdateVideoTrack(_) | Echo::UnpublishDataTrack(_) => {
        }
    }
}

fn publish(request: &mut pb::PublishDataTrackRequest) {
    one::<pb::encryption::Type>(&mut request.encryption);
    typed(&mut request.frame_encoding, &mut request.schema);
}

fn typed(frame: &mut Option<pb::DataTrackFrameEncoding>, id: &mut Option<pb::DataTrackSchemaId>) {
    if let Some(FrameValue::WellKnown(number)) = frame.as_mut().and_then(|frame| frame.value.as_mut()) {
        one::<WellKnownFrameEncoding>(number);
    }
    id.iter_mut().for_each(schema);
}

fn schema(id: &mut pb::DataTrackSchemaId) {
    let value = id.encoding.as_mut().and_then(|encoding| encoding.value.as_mut());
    if let Some(SchemaValue::WellKnown(number)) = value {
        one::<WellKnownSchemaEncoding>(number);
    }
}

fn blob(blob: &mut pb::DataBlob) {
    blob.key.iter_mut().for_each(blob_key);
}

fn blob_key(key: &mut pb::DataBlobKey) {
    if let Some(pb::data_blob_key::Key::SchemaId(id)) = &mut key.key {
        schema(id);
    }
}

fn add_track(request: &mut pb::AddTrackRequest) {
    one::<pb::TrackType>(&mut request.r#type);
    one::<pb::TrackSource>(&mut request.source);
    one::<pb::encryption::Type>(&mut request.encryption);
    one::<pb::BackupCodecPolicy>(&mut request.backup_codec_policy);
    list::<pb::AudioTrackFeature>(&mut request.audio_features);
    list::<pb::PacketTrailerFeature>(&mut request.packet_trailer_features);
    request.layers.iter_mut().for_each(layer);
    for codec in &mut request.simulcast_codecs {
        one::<pb::video_layer::Mode>(&mut codec.video_layer_mode);
        codec.layers.iter_mut().for_each(layer);
    }
}

fn layer(layer: &mut pb::VideoLayer) {
    one::<pb::VideoQuality>(&mut layer.quality);
}

fn one<E: TryFrom<i32>>(number: &mut i32) {
    if E::try_from(*number).is_err() {
        *number = 0;
    }
}

fn list<E: TryFrom<i32>>(numbers: &mut Vec<i32>) {
    numbers.retain(|number| E::try_from(*number).is_ok());
}
