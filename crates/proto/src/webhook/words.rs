//! Words of enumerations that a newer server may write. The generated decoders refuse a message that holds one,
//! and a receiver of webhooks would lose every event of such a participant.

use livekit_protocol as pb;
use pb::data_track_frame_encoding::WellKnownFrameEncoding;
use pb::data_track_schema_encoding::WellKnownSchemaEncoding;
use serde_json::Value;

/// Free texts under names of the application's choice.
const FREE: &str = "attributes";

/// Takes away each word that its enumeration does not know; what is gone has its default.
pub(super) fn known_words(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(known_words),
        Value::Object(fields) => {
            fields.retain(|name, value| keep(&plain(name), value));
            fields.iter_mut().filter(|(name, _)| *name != FREE).for_each(|(_, value)| known_words(value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Both spellings of a name are one.
fn plain(name: &str) -> String {
    name.replace('_', "").to_ascii_lowercase()
}

fn keep(name: &str, value: &mut Value) -> bool {
    let Some(is_known) = enumeration(name) else { return true };
    match value {
        Value::String(word) if !is_known(word) => {
            // What is not known to be in the clear never becomes so.
            let is_encryption = name == "encryption";
            if is_encryption {
                "CUSTOM".clone_into(word);
            }
            is_encryption
        }
        Value::Array(words) => {
            words.retain(|word| word.as_str().is_none_or(is_known));
            true
        }
        _ => true,
    }
}

/// Whether a field of this name is of an enumeration, and which words that knows.
fn enumeration(name: &str) -> Option<fn(&str) -> bool> {
    Some(match name {
        "state" => |word| pb::participant_info::State::from_str_name(word).is_some(),
        "kind" => |word| pb::participant_info::Kind::from_str_name(word).is_some(),
        "kinddetails" => |word| pb::participant_info::KindDetail::from_str_name(word).is_some(),
        "disconnectreason" => |word| pb::DisconnectReason::from_str_name(word).is_some(),
        "capabilities" => |word| pb::client_info::Capability::from_str_name(word).is_some(),
        "source" | "canpublishsources" => |word| pb::TrackSource::from_str_name(word).is_some(),
        "type" => |word| pb::TrackType::from_str_name(word).is_some(),
        "encryption" => |word| pb::encryption::Type::from_str_name(word).is_some(),
        "audiofeatures" => |word| pb::AudioTrackFeature::from_str_name(word).is_some(),
        "backupcodecpolicy" => |word| pb::BackupCodecPolicy::from_str_name(word).is_some(),
        "packettrailerfeatures" => |word| pb::PacketTrailerFeature::from_str_name(word).is_some(),
        "quality" => |word| pb::VideoQuality::from_str_name(word).is_some(),
        "videolayermode" => |word| pb::video_layer::Mode::from_str_name(word).is_some(),
        "wellknown" => |word| {
            WellKnownFrameEncoding::from_str_name(word).is_some()
                || WellKnownSchemaEncoding::from_str_name(word).is_some()
        },
        "roomendreason" => |word| pb::RoomEndReason::from_str_name(word).is_some(),
        _ => return None,
    })
}
