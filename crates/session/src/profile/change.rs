//! A change of a participant's own state.

use std::collections::BTreeMap;

use trackyard_proto::ParticipantInfo;
use trackyard_proto::signal::MetadataUpdate;

/// A change of a participant's own state. What is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileChange {
    /// Another name; not empty.
    pub name: Option<String>,
    /// Other metadata; not empty.
    pub metadata: Option<String>,
    /// Attributes to set; an empty value deletes one.
    pub attributes: BTreeMap<String, String>,
}

impl ProfileChange {
    /// Nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.metadata.is_none() && self.attributes.is_empty()
    }

    pub(super) fn to_request(&self, request_id: u32) -> MetadataUpdate {
        let mut update = MetadataUpdate::new(request_id);
        if let Some(name) = &self.name {
            update = update.with_name(name);
        }
        if let Some(metadata) = &self.metadata {
            update = update.with_metadata(metadata);
        }
        if self.attributes.is_empty() { update } else { update.with_attributes(self.attributes.clone()) }
    }

    /// The part of it that a participant does not show.
    pub(super) fn missing_in(&self, info: &ParticipantInfo) -> Self {
        let is_missing = |(key, value): &(&String, &String)| {
            info.attributes.get(*key).map_or("", String::as_str) != value.as_str()
        };
        Self {
            name: self.name.clone().filter(|name| *name != info.name),
            metadata: self.metadata.clone().filter(|metadata| *metadata != info.metadata),
            attributes: owned(self.attributes.iter().filter(is_missing)),
        }
    }

    /// The part of it that another one does not touch.
    pub(super) fn without(&self, other: &Self) -> Self {
        let is_untouched = |(key, _): &(&String, &String)| !other.attributes.contains_key(*key);
        Self {
            name: self.name.clone().filter(|_| other.name.is_none()),
            metadata: self.metadata.clone().filter(|_| other.metadata.is_none()),
            attributes: owned(self.attributes.iter().filter(is_untouched)),
        }
    }

    /// Adds a change that wins over this one.
    pub(super) fn merge(&mut self, other: &Self) {
        self.name = other.name.clone().or(self.name.take());
        self.metadata = other.metadata.clone().or(self.metadata.take());
        self.attributes.extend(other.attributes.clone());
    }

    /// The length of its texts.
    pub(super) fn text_bytes(&self) -> usize {
        let texts = [&self.name, &self.metadata].into_iter().flatten();
        let attributes = self.attributes.iter().map(|(key, value)| key.len() + value.len() + 16);
        texts.map(String::len).chain(attributes).sum()
    }
}

fn owned<'m>(entries: impl Iterator<Item = (&'m String, &'m String)>) -> BTreeMap<String, String> {
    entries.map(|(key, value)| (key.clone(), value.clone())).collect()
}
