//! How a participant differs from what it was.

use std::collections::BTreeMap;

use trackyard_proto::{ParticipantInfo, ParticipantState, Permission};

/// One thing that has changed of a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Its name; what it was.
    Name(String),
    /// Its metadata; what they were.
    Metadata(String),
    /// Its attributes: those that are others, empty ones deleted.
    Attributes(BTreeMap<String, String>),
    /// What it may do; what that was.
    Permissions(Permission),
    /// It can receive what is sent to it.
    Active,
}

/// What has changed of a participant. Of one that is new only whether it is active is told, for all else is there from
/// the first.
pub(crate) fn differences(before: Option<&ParticipantInfo>, after: &ParticipantInfo) -> Vec<Difference> {
    let mut differences = before.map(|before| changed(before, after)).unwrap_or_default();
    let is_active = |info: &ParticipantInfo| info.state == ParticipantState::Active;
    let was_active = before.is_some_and(|before| is_active(before) && before.sid == after.sid);
    if is_active(after) && !was_active {
        differences.push(Difference::Active);
    }
    differences
}

fn changed(before: &ParticipantInfo, after: &ParticipantInfo) -> Vec<Difference> {
    let mut differences = Vec::new();
    if before.name != after.name {
        differences.push(Difference::Name(before.name.clone()));
    }
    if before.metadata != after.metadata {
        differences.push(Difference::Metadata(before.metadata.clone()));
    }
    let attributes = changed_attributes(&before.attributes, &after.attributes);
    if !attributes.is_empty() {
        differences.push(Difference::Attributes(attributes));
    }
    if before.permission != after.permission {
        differences.push(Difference::Permissions(before.permission.clone()));
    }
    differences
}

fn changed_attributes(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let gone = gone.map(|key| (key.clone(), String::new()));
    let others = after.iter().filter(|(key, value)| before.get(*key) != Some(*value));
    others.map(|(key, value)| (key.clone(), value.clone())).chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn attributes_that_are_new_others_or_gone_are_told() {
        let before = attributes(&[("same", "1"), ("other", "1"), ("gone", "1")]);
        let after = attributes(&[("same", "1"), ("other", "2"), ("new", "1")]);
        let expected = attributes(&[("other", "2"), ("new", "1"), ("gone", "")]);
        assert_eq!(changed_attributes(&before, &after), expected);
    }
}
