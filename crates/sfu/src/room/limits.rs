//! What administrators may set, by the same bounds as what participants may.

use std::collections::BTreeMap;

use super::admin::{AdminError, ParticipantChange, RoomChange};
use super::admission::attribute_bytes;
use super::config::StateLimits;
use super::state::merged_bytes;

type Attributes = BTreeMap<String, String>;

impl StateLimits {
    /// A room's name.
    ///
    /// # Errors
    /// It is empty, or too long.
    pub fn check_room_name(&self, name: &str) -> Result<(), AdminError> {
        if name.is_empty() {
            return Err(AdminError::Invalid("no room name"));
        }
        within("room name length", name.len(), self.room_name_bytes)
    }

    /// A room's metadata.
    ///
    /// # Errors
    /// They are too long.
    pub fn check_metadata(&self, metadata: &str) -> Result<(), AdminError> {
        within("metadata size", metadata.len(), self.metadata_bytes)
    }

    /// What a room is told of itself.
    ///
    /// # Errors
    /// Something in it is too long.
    pub fn check_room_change(&self, change: &RoomChange) -> Result<(), AdminError> {
        self.check_metadata(change.metadata.as_deref().unwrap_or_default())?;
        let tags = change.tags.as_ref().map(attribute_bytes).unwrap_or_default();
        within("tags size", tags, self.attributes_bytes)
    }

    /// What changes about a participant that has these attributes.
    pub(super) fn check_change(
        &self,
        change: &ParticipantChange,
        attributes: Option<&Attributes>,
    ) -> Result<(), AdminError> {
        within("name length", change.name.as_ref().map_or(0, String::len), self.name_bytes)?;
        self.check_metadata(change.metadata.as_deref().unwrap_or_default())?;
        let none = Attributes::new();
        let merged = merged_bytes(attributes.unwrap_or(&none), &change.attributes);
        within("attribute size", merged, self.attributes_bytes)
    }
}

fn within(what: &'static str, bytes: usize, limit: usize) -> Result<(), AdminError> {
    if bytes > limit { Err(AdminError::TooLong { what, limit }) } else { Ok(()) }
}
