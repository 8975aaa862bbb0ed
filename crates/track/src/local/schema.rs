//! Which schemas describe which frame encodings (protocol §5.7). Official clients check it before they publish,
//! servers never do.

use trackyard_proto::{FrameEncoding, Schema, SchemaEncoding};

/// Why schema and frame encoding do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaMismatch {
    /// There is a schema, and nothing says how frames are encoded.
    #[error("there is a schema but no frame encoding")]
    NoFrameEncoding,
    /// Frames of this encoding cannot be read without a schema.
    #[error("frames of this encoding cannot be read without a schema")]
    NoSchema,
    /// The schema is in a language that does not describe frames of this encoding.
    #[error("the schema's language does not describe frames of this encoding")]
    Incompatible,
}

/// Encodings by their numbers on the wire.
mod frame {
    pub(super) const ROS1: i32 = 1;
    pub(super) const CDR: i32 = 2;
    pub(super) const PROTOBUF: i32 = 3;
    pub(super) const FLATBUFFER: i32 = 4;
    pub(super) const CBOR: i32 = 5;
    pub(super) const MSGPACK: i32 = 6;
    pub(super) const JSON: i32 = 7;
}

/// Schema languages by their numbers on the wire.
mod language {
    pub(super) const PROTOBUF: i32 = 1;
    pub(super) const FLATBUFFER: i32 = 2;
    pub(super) const ROS1_MSG: i32 = 3;
    pub(super) const ROS2_MSG: i32 = 4;
    pub(super) const ROS2_IDL: i32 = 5;
    pub(super) const OMG_IDL: i32 = 6;
    pub(super) const JSON_SCHEMA: i32 = 7;
}

/// Checks a well-known encoding; nothing is known of an application's own, or of newer ones.
pub(super) fn check(encoding: Option<&FrameEncoding>, schema: Option<&Schema>) -> Result<(), SchemaMismatch> {
    match (encoding, schema) {
        (None, Some(_)) => Err(SchemaMismatch::NoFrameEncoding),
        (Some(FrameEncoding::WellKnown(number)), None) if needs_schema(*number) => {
            Err(SchemaMismatch::NoSchema)
        }
        (Some(FrameEncoding::WellKnown(number)), Some(schema)) if !describes(schema, *number) => {
            Err(SchemaMismatch::Incompatible)
        }
        _ => Ok(()),
    }
}

fn needs_schema(encoding: i32) -> bool {
    matches!(encoding, frame::ROS1 | frame::CDR | frame::PROTOBUF | frame::FLATBUFFER)
}

fn describes(schema: &Schema, encoding: i32) -> bool {
    use language::{FLATBUFFER, JSON_SCHEMA, OMG_IDL, PROTOBUF, ROS1_MSG, ROS2_IDL, ROS2_MSG};
    let languages: &[i32] = match encoding {
        frame::ROS1 => &[ROS1_MSG],
        frame::CDR => &[ROS2_MSG, ROS2_IDL, OMG_IDL],
        frame::PROTOBUF => &[PROTOBUF],
        frame::FLATBUFFER => &[FLATBUFFER],
        frame::JSON => &[JSON_SCHEMA],
        frame::CBOR | frame::MSGPACK => &[],
        _ => return true,
    };
    matches!(schema.encoding, Some(SchemaEncoding::WellKnown(language)) if languages.contains(&language))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(encoding: Option<i32>, language: Option<i32>) -> Result<(), SchemaMismatch> {
        let encoding = encoding.map(FrameEncoding::WellKnown);
        let schema = language.map(|language| Schema {
            name: "pose".to_owned(),
            encoding: Some(SchemaEncoding::WellKnown(language)),
        });
        check(encoding.as_ref(), schema.as_ref())
    }

    #[test]
    fn each_encoding_has_its_schema_languages() {
        let pairs = [(1, 3), (2, 4), (2, 5), (2, 6), (3, 1), (4, 2), (7, 7)];
        for encoding in 1..=7 {
            for language in 1..=7 {
                let fits = pairs.contains(&(encoding, language));
                let expected = if fits { Ok(()) } else { Err(SchemaMismatch::Incompatible) };
                assert_eq!(checked(Some(encoding), Some(language)), expected, "{encoding} {language}");
            }
            let expected = if encoding >= 5 { Ok(()) } else { Err(SchemaMismatch::NoSchema) };
            assert_eq!(checked(Some(encoding), None), expected, "{encoding}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_judged() {
        assert_eq!(checked(None, None), Ok(()));
        assert_eq!(checked(None, Some(1)), Err(SchemaMismatch::NoFrameEncoding));
        assert_eq!((checked(Some(99), None), checked(Some(99), Some(1))), (Ok(()), Ok(())));
        let own = FrameEncoding::Custom("raw".to_owned());
        let schema = Schema { name: "pose".to_owned(), encoding: None };
        assert_eq!((check(Some(&own), None), check(Some(&own), Some(&schema))), (Ok(()), Ok(())));
        let cdr = FrameEncoding::WellKnown(2);
        assert_eq!(check(Some(&cdr), Some(&schema)), Err(SchemaMismatch::Incompatible));
    }
}
