//! Who may subscribe to a publisher's tracks (protocol §8.2).

use std::collections::{HashMap, HashSet};

use trackyard_proto::signal::{SubscriptionPermission, TrackPermission};

/// Who may subscribe; everyone, until the publisher says otherwise.
#[derive(Debug, Default)]
pub(super) struct Audience(Option<Named>);

/// The participants that were named, by what they were named by.
#[derive(Debug, Default)]
struct Named {
    by_sid: HashMap<String, Allowed>,
    by_identity: HashMap<String, Allowed>,
}

/// What one participant may subscribe to.
#[derive(Debug, Default)]
struct Allowed {
    all: bool,
    sids: HashSet<String>,
}

impl Audience {
    /// `None` if it names more than that many participants and tracks.
    pub(super) fn new(permission: SubscriptionPermission, entries_max: usize) -> Option<Self> {
        if permission.all_participants {
            return Some(Self(None));
        }
        let entries: usize =
            permission.track_permissions.iter().map(|entry| 1 + entry.track_sids.len()).sum();
        if entries > entries_max {
            return None;
        }
        let mut named = Named::default();
        permission.track_permissions.into_iter().for_each(|entry| named.insert(entry));
        Some(Self(Some(named)))
    }

    /// Whether a participant may subscribe to a track.
    pub(super) fn admits(&self, sid: &str, identity: &str, track_sid: &str) -> bool {
        let Some(named) = &self.0 else { return true };
        let allowed = [named.by_sid.get(sid), named.by_identity.get(identity)];
        allowed.into_iter().flatten().any(|allowed| allowed.all || allowed.sids.contains(track_sid))
    }
}

impl Named {
    fn insert(&mut self, entry: TrackPermission) {
        let TrackPermission { participant_sid, participant_identity, all_tracks, track_sids } = entry;
        let allowed = if participant_sid.is_empty() {
            self.by_identity.entry(participant_identity).or_default()
        } else {
            self.by_sid.entry(participant_sid).or_default()
        };
        allowed.all |= all_tracks;
        allowed.sids.extend(track_sids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sid: &str, identity: &str, tracks: &[&str]) -> TrackPermission {
        TrackPermission {
            participant_sid: sid.into(),
            participant_identity: identity.into(),
            all_tracks: tracks.is_empty(),
            track_sids: tracks.iter().copied().map(String::from).collect(),
        }
    }

    fn named(track_permissions: Vec<TrackPermission>) -> SubscriptionPermission {
        SubscriptionPermission { all_participants: false, track_permissions }
    }

    #[test]
    fn only_those_named_by_sid_or_identity_are_admitted() {
        let permission =
            named(vec![entry("PA_a", "", &[]), entry("", "bob", &["DTR_1"]), entry("", "bob", &["DTR_2"])]);
        let audience = Audience::new(permission, 8).unwrap();
        assert!(audience.admits("PA_a", "ada", "DTR_9"));
        assert!(audience.admits("PA_b", "bob", "DTR_1"));
        assert!(audience.admits("PA_b", "bob", "DTR_2"));
        assert!(!audience.admits("PA_b", "bob", "DTR_9"));
        assert!(!audience.admits("PA_c", "cid", "DTR_1"));
    }

    #[test]
    fn everyone_is_admitted_by_default_and_nobody_by_an_empty_list() {
        assert!(Audience::default().admits("PA_a", "ada", "DTR_1"));
        assert!(!Audience::new(named(Vec::new()), 8).unwrap().admits("PA_a", "ada", "DTR_1"));
        let all = SubscriptionPermission { all_participants: true, track_permissions: Vec::new() };
        assert!(Audience::new(all, 0).unwrap().admits("PA_a", "ada", "DTR_1"));
    }

    #[test]
    fn a_list_is_bounded() {
        let permission = named(vec![entry("PA_a", "", &["DTR_1", "DTR_2"])]);
        assert!(Audience::new(permission.clone(), 3).is_some());
        assert!(Audience::new(permission, 2).is_none());
    }
}
