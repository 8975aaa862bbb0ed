//! Names of frame encodings and schema languages; those well known have numbers on the wire (protocol §5.7).

use trackyard::{FrameEncoding, Schema, SchemaEncoding};

const FRAME_NAMES: [(i32, &str, &str); 7] = [
    (1, "ros1", "ros1"),
    (2, "cdr", "cdr"),
    (3, "protobuf", "binpb"),
    (4, "flatbuffer", "fb"),
    (5, "cbor", "cbor"),
    (6, "msgpack", "msgpack"),
    (7, "json", "json"),
];
const SCHEMA_NAMES: [(i32, &str); 7] = [
    (1, "protobuf"),
    (2, "flatbuffer"),
    (3, "ros1msg"),
    (4, "ros2msg"),
    (5, "ros2idl"),
    (6, "omgidl"),
    (7, "jsonschema"),
];

/// What frames of single JPEG images are called.
pub(super) const MJPEG: &str = "mjpeg";
/// What nothing is known of.
const EXTENSION_DEFAULT: &str = "bin";
/// An encoding's own name serves as an extension up to here.
const EXTENSION_BYTES_MAX: usize = 10;

/// Reads a well-known name, or takes it for one's own.
pub(super) fn parse_frame(text: &str) -> FrameEncoding {
    let known = FRAME_NAMES.iter().find(|(_, name, _)| *name == text);
    known.map_or_else(
        || FrameEncoding::Custom(text.to_owned()),
        |(number, ..)| FrameEncoding::WellKnown(*number),
    )
}

/// The name of an encoding.
pub(super) fn frame_name(encoding: &FrameEncoding) -> String {
    match encoding {
        FrameEncoding::Custom(name) => name.clone(),
        FrameEncoding::WellKnown(number) => {
            let known = FRAME_NAMES.iter().find(|(known, ..)| known == number);
            known.map_or_else(|| format!("well-known {number}"), |(_, name, _)| (*name).to_owned())
        }
    }
}

/// Reads `LANGUAGE:NAME`.
///
/// # Errors
/// What it takes instead.
pub(super) fn parse_schema(text: &str) -> Result<Schema, String> {
    let split = text.split_once(':').filter(|(language, name)| !language.is_empty() && !name.is_empty());
    let (language, name) =
        split.ok_or_else(|| "it takes LANGUAGE:NAME, such as ros2msg:geometry_msgs/msg/Pose".to_owned())?;
    let known = SCHEMA_NAMES.iter().find(|(_, known)| *known == language);
    let custom = || SchemaEncoding::Custom(language.to_owned());
    let encoding = known.map_or_else(custom, |(number, _)| SchemaEncoding::WellKnown(*number));
    Ok(Schema { name: name.to_owned(), encoding: Some(encoding) })
}

/// The name of a schema's language.
pub(super) fn language_name(schema: &Schema) -> Option<String> {
    schema.encoding.as_ref().map(|encoding| match encoding {
        SchemaEncoding::Custom(name) => name.clone(),
        SchemaEncoding::WellKnown(number) => {
            let known = SCHEMA_NAMES.iter().find(|(known, _)| known == number);
            known.map_or_else(|| format!("well-known {number}"), |(_, name)| (*name).to_owned())
        }
    })
}

/// As [`parse_schema`] takes it.
pub(super) fn schema_name(schema: &Schema) -> String {
    language_name(schema)
        .map_or_else(|| schema.name.clone(), |language| format!("{language}:{}", schema.name))
}

/// The extension that files of such frames have: by the announced encoding, or else by how they begin.
pub(super) fn extension(encoding: Option<&FrameEncoding>, payload: &[u8]) -> String {
    match encoding {
        Some(FrameEncoding::WellKnown(number)) => {
            let known = FRAME_NAMES.iter().find(|(known, ..)| known == number);
            known.map_or(EXTENSION_DEFAULT, |(.., extension)| extension).to_owned()
        }
        Some(FrameEncoding::Custom(name)) => by_own_name(name),
        None => by_content(payload).to_owned(),
    }
}

fn by_own_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("image/").unwrap_or(&name);
    let fits = name.len() <= EXTENSION_BYTES_MAX && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match name {
        "mjpeg" | "jpeg" => "jpg".to_owned(),
        name if fits && !name.is_empty() => name.to_owned(),
        _ => EXTENSION_DEFAULT.to_owned(),
    }
}

fn by_content(payload: &[u8]) -> &'static str {
    match payload {
        [0xff, 0xd8, 0xff, ..] => "jpg",
        [0x89, b'P', b'N', b'G', ..] => "png",
        _ => EXTENSION_DEFAULT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_shown() {
        for name in ["ros1", "cdr", "protobuf", "flatbuffer", "cbor", "msgpack", "json", "mjpeg"] {
            assert_eq!(frame_name(&parse_frame(name)), name);
        }
        assert_eq!(parse_frame("json"), FrameEncoding::WellKnown(7));
        assert_eq!(parse_frame("mine"), FrameEncoding::Custom("mine".to_owned()));
        for name in ["ros2msg:geometry_msgs/msg/Pose", "jsonschema:a:b", "mine:x"] {
            assert_eq!(schema_name(&parse_schema(name).unwrap()), name);
        }
        for wrong in ["", "pose", ":pose", "ros2msg:"] {
            assert!(parse_schema(wrong).is_err(), "{wrong}");
        }
    }

    #[track_caller]
    fn check_extension(encoding: Option<&str>, payload: &[u8], expected: &str) {
        assert_eq!(extension(encoding.map(parse_frame).as_ref(), payload), expected);
    }

    #[test]
    fn files_have_the_extension_that_fits() {
        check_extension(Some("json"), b"", "json");
        check_extension(Some("protobuf"), b"", "binpb");
        check_extension(Some("mjpeg"), b"", "jpg");
        check_extension(Some("image/PNG"), b"", "png");
        check_extension(Some("../../etc/passwd"), b"", "bin");
        check_extension(None, &[0xff, 0xd8, 0xff, 0xe0], "jpg");
        check_extension(None, b"\x89PNG\r\n", "png");
        check_extension(None, b"x", "bin");
    }
}
