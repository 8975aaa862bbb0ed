//! The room's own metadata: replaced, or patched by those who know which revision they have seen.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Room;
use super::admin::{AdminError, AdminReply};

type Answer = Result<AdminReply, AdminError>;

impl Room {
    /// Replaces the metadata, within the limits.
    pub(super) fn replace_metadata(&mut self, metadata: String) -> Answer {
        self.config.limits.state.check_metadata(&metadata)?;
        self.set_room_metadata(metadata);
        Ok(AdminReply::Room(self.info()))
    }

    /// Merges a patch into the metadata. One that changes nothing is answered, and told to nobody.
    pub(super) fn patch_metadata(&mut self, patch: &Value, if_revision: Option<u64>) -> Answer {
        let revision = self.metadata_revision;
        if if_revision.is_some_and(|seen| seen != revision) {
            self.counters.metadata_conflicts += 1;
            return Err(AdminError::Conflict { revision });
        }
        let Value::Object(patch) = patch else {
            return Err(AdminError::Invalid("the patch is not a JSON object"));
        };
        if !patch.is_empty() {
            let metadata = merged(&self.info.metadata, patch)?;
            self.config.limits.state.check_metadata(&metadata)?;
            self.set_room_metadata(metadata);
        }
        let (metadata, revision) = (self.info.metadata.clone(), self.metadata_revision);
        Ok(AdminReply::Metadata { metadata, revision })
    }

    /// Says new metadata at once; the same as before are no news.
    pub(super) fn set_room_metadata(&mut self, metadata: String) {
        if self.info.metadata == metadata {
            return;
        }
        Arc::make_mut(&mut self.info).metadata = metadata;
        self.metadata_revision += 1;
        self.tell_room();
    }
}

/// The metadata with a patch in them. Metadata that are no object are never overwritten by one.
fn merged(metadata: &str, patch: &Map<String, Value>) -> Result<String, AdminError> {
    let text = if metadata.trim().is_empty() { "{}" } else { metadata };
    let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else {
        return Err(AdminError::Precondition(
            "the room's metadata are not a JSON object; replace them by UpdateRoomMetadata first",
        ));
    };
    merge(&mut fields, patch);
    Ok(Value::Object(fields).to_string())
}

/// RFC 7386: objects are merged, `null` deletes, anything else replaces.
fn merge(fields: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, change) in patch {
        match change {
            Value::Null => drop(fields.remove(key)),
            Value::Object(change) => {
                let field = fields.entry(key.clone()).or_insert(Value::Null);
                if !field.is_object() {
                    *field = Value::Object(Map::new());
                }
                if let Value::Object(inner) = field {
                    merge(inner, change);
                }
            }
            other => drop(fields.insert(key.clone(), other.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7386's appendix whose target and patch are objects.
    #[test]
    fn patches_are_merged_as_the_standard_says() {
        let check = |metadata: &str, patch: &str, expected: &str| {
            let Value::Object(patch) = serde_json::from_str(patch).unwrap() else { panic!("{patch}") };
            assert_eq!(merged(metadata, &patch).unwrap(), expected, "{metadata} with {patch:?}");
        };
        check(r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"a":null}"#, "{}");
        check(r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#);
        check(r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#);
        check(r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#);
        check(r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#);
        check(r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#);
        check("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#);
        check("", r#"{"a":1}"#, r#"{"a":1}"#);
    }

    #[test]
    fn metadata_that_are_no_object_are_kept() {
        for metadata in ["free text", "[1]", "1", "null", "{"] {
            let patch = Map::from_iter([("a".to_owned(), Value::from(1))]);
            assert!(matches!(merged(metadata, &patch), Err(AdminError::Precondition(_))), "{metadata}");
        }
    }
}
