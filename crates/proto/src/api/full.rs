//! JSON with names as in the schema and with every field, as servers of the API write it.
//!
//! The generated code leaves out what has its default; here is what each message has, so that it can be put back.

use serde_json::{Map, Value};

/// A field, and what it looks like when it has its default.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    kind: FieldKind,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
enum FieldKind {
    Text,
    Number,
    /// 64 bits, written as a text.
    Long,
    Flag,
    /// The word for 0.
    Word(&'static str),
    /// Of texts, numbers or words.
    List,
    /// Keys are data, not names.
    Map,
    /// Absent unless it is set, even here.
    Optional(&'static [Field]),
    /// `null` unless it is set.
    Message(&'static [Field]),
    Messages(&'static [Field]),
}

use FieldKind::{Flag, List, Long, Message, Messages, Number, Optional, Text, Word};

const fn field(name: &'static str, kind: FieldKind) -> Field {
    Field { name, kind }
}

pub(super) const EMPTY: &[Field] = &[];

pub(super) const ROOM: &[Field] = &[
    field("sid", Text),
    field("name", Text),
    field("empty_timeout", Number),
    field("departure_timeout", Number),
    field("max_participants", Number),
    field("creation_time", Long),
    field("creation_time_ms", Long),
    field("turn_password", Text),
    field("enabled_codecs", Messages(CODEC)),
    field("metadata", Text),
    field("num_participants", Number),
    field("num_publishers", Number),
    field("active_recording", Flag),
    field("version", Message(VERSION)),
];

pub(super) const ROOMS: &[Field] = &[field("rooms", Messages(ROOM))];

pub(super) const PARTICIPANT: &[Field] = &[
    field("sid", Text),
    field("identity", Text),
    field("state", Word("JOINING")),
    field("tracks", Messages(TRACK)),
    field("metadata", Text),
    field("joined_at", Long),
    field("joined_at_ms", Long),
    field("name", Text),
    field("version", Number),
    field("permission", Message(PERMISSION)),
    field("region", Text),
    field("is_publisher", Flag),
    field("kind", Word("STANDARD")),
    field("attributes", FieldKind::Map),
    field("disconnect_reason", Word("UNKNOWN_REASON")),
    field("kind_details", List),
    field("data_tracks", Messages(DATA_TRACK)),
    field("client_protocol", Number),
    field("capabilities", List),
];

pub(super) const PARTICIPANTS: &[Field] = &[field("participants", Messages(PARTICIPANT))];

pub(super) const MUTED: &[Field] = &[field("track", Message(TRACK))];

pub(super) const RPC: &[Field] = &[field("payload", Text)];

const PERMISSION: &[Field] = &[
    field("can_subscribe", Flag),
    field("can_publish", Flag),
    field("can_publish_data", Flag),
    field("can_publish_sources", List),
    field("hidden", Flag),
    field("recorder", Flag),
    field("can_update_metadata", Flag),
    field("agent", Flag),
    field("can_subscribe_metrics", Flag),
    field("can_manage_agent_session", Flag),
];

const DATA_TRACK: &[Field] = &[
    field("pub_handle", Number),
    field("sid", Text),
    field("name", Text),
    field("encryption", Word("NONE")),
    field("frame_encoding", Optional(ENCODING)),
    field("schema", Optional(SCHEMA)),
];

const SCHEMA: &[Field] = &[field("name", Text), field("encoding", Message(ENCODING))];

/// Either of them, and neither has a default.
const ENCODING: &[Field] = &[field("well_known", Optional(EMPTY)), field("custom", Optional(EMPTY))];

const TRACK: &[Field] = &[
    field("sid", Text),
    field("type", Word("AUDIO")),
    field("name", Text),
    field("muted", Flag),
    field("width", Number),
    field("height", Number),
    field("simulcast", Flag),
    field("disable_dtx", Flag),
    field("source", Word("UNKNOWN")),
    field("layers", Messages(LAYER)),
    field("mime_type", Text),
    field("mid", Text),
    field("codecs", Messages(TRACK_CODEC)),
    field("stereo", Flag),
    field("disable_red", Flag),
    field("encryption", Word("NONE")),
    field("stream", Text),
    field("version", Message(VERSION)),
    field("audio_features", List),
    field("backup_codec_policy", Word("PREFER_REGRESSION")),
    field("packet_trailer_features", List),
];

const LAYER: &[Field] = &[
    field("quality", Word("LOW")),
    field("width", Number),
    field("height", Number),
    field("bitrate", Number),
    field("ssrc", Number),
    field("spatial_layer", Number),
    field("rid", Text),
    field("repair_ssrc", Number),
];

const TRACK_CODEC: &[Field] = &[
    field("mime_type", Text),
    field("mid", Text),
    field("cid", Text),
    field("layers", Messages(LAYER)),
    field("video_layer_mode", Word("MODE_UNUSED")),
    field("sdp_cid", Text),
];

const CODEC: &[Field] = &[field("mime", Text), field("fmtp_line", Text)];

const VERSION: &[Field] = &[field("unix_micro", Long), field("ticks", Number)];

/// Puts back what the mapping leaves out, under the schema's names.
pub(super) fn full(value: Value, fields: &[Field]) -> Value {
    let mut given = match value {
        Value::Object(given) => given,
        // A word or text in the place of an object is already complete.
        other => return other,
    };
    let mut all = Map::new();
    for Field { name, kind } in fields {
        let value = given.remove(&camel_case(name));
        all.extend(complete(value, *kind).map(|value| ((*name).to_owned(), value)));
    }
    Value::Object(all)
}

fn complete(value: Option<Value>, kind: FieldKind) -> Option<Value> {
    let value = match (value, kind) {
        (Some(value), Message(fields) | Optional(fields)) => full(value, fields),
        (Some(Value::Array(items)), Messages(fields)) => {
            items.into_iter().map(|item| full(item, fields)).collect()
        }
        (Some(value), _) => value,
        (None, Optional(_)) => return None,
        (None, kind) => default_of(kind),
    };
    Some(value)
}

fn default_of(kind: FieldKind) -> Value {
    match kind {
        Text => "".into(),
        Number => 0.into(),
        Long => "0".into(),
        Flag => false.into(),
        Word(word) => word.into(),
        List | Messages(_) => Value::Array(Vec::new()),
        FieldKind::Map => Value::Object(Map::new()),
        Message(_) | Optional(_) => Value::Null,
    }
}

fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        if letter == '_' {
            upper = true;
        } else {
            camel.push(if upper { letter.to_ascii_uppercase() } else { letter });
            upper = false;
        }
    }
    camel
}
