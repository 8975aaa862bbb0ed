//! Who is in the room, as far as the server has told.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use trackyard_proto::{ParticipantInfo, ParticipantState};

use crate::event::ParticipantChange;

type Change = (ParticipantChange, Arc<ParticipantInfo>);

/// The participants by identity, oneself included.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    participants: BTreeMap<String, Arc<ParticipantInfo>>,
    /// The next update is complete: who is missing has left meanwhile (protocol §9.1).
    is_stale: bool,
}

impl Roster {
    /// A new session's complete list.
    pub(crate) fn begin(&mut self, participants: &[Arc<ParticipantInfo>]) -> Vec<Change> {
        let mut changes = self.retain(participants);
        changes.extend(self.merge(participants));
        changes
    }

    /// The session goes on, and the next update is complete.
    pub(crate) fn expect_complete(&mut self) {
        self.is_stale = true;
    }

    /// An update.
    pub(crate) fn update(&mut self, participants: &[Arc<ParticipantInfo>]) -> Vec<Change> {
        let mut changes =
            if std::mem::take(&mut self.is_stale) { self.retain(participants) } else { Vec::new() };
        changes.extend(self.merge(participants));
        changes
    }

    /// Everyone, in the order of identities.
    pub(crate) fn participants(&self) -> impl Iterator<Item = &Arc<ParticipantInfo>> {
        self.participants.values()
    }

    fn retain(&mut self, participants: &[Arc<ParticipantInfo>]) -> Vec<Change> {
        let here: HashSet<&str> = participants.iter().map(|info| info.identity.as_str()).collect();
        let mut gone = Vec::new();
        self.participants.retain(|identity, info| {
            let stays = here.contains(identity.as_str());
            if !stays {
                gone.push((ParticipantChange::Left, Arc::clone(info)));
            }
            stays
        });
        gone
    }

    fn merge(&mut self, participants: &[Arc<ParticipantInfo>]) -> Vec<Change> {
        participants.iter().flat_map(|info| self.apply(info)).collect()
    }

    fn apply(&mut self, info: &Arc<ParticipantInfo>) -> Vec<Change> {
        let known = self.participants.get(&info.identity).cloned();
        if info.state == ParticipantState::Disconnected {
            // The end of an earlier session says nothing about a later one.
            let ends = known.is_some_and(|known| known.sid == info.sid);
            return if ends { vec![self.remove(info)] } else { Vec::new() };
        }
        match known {
            Some(known) if known.sid == info.sid && known.version > info.version => Vec::new(),
            Some(known) if known.sid == info.sid => {
                self.insert(info);
                vec![(ParticipantChange::Updated, Arc::clone(info))]
            }
            Some(known) => {
                self.insert(info);
                vec![(ParticipantChange::Left, known), (ParticipantChange::Joined, Arc::clone(info))]
            }
            None => {
                self.insert(info);
                vec![(ParticipantChange::Joined, Arc::clone(info))]
            }
        }
    }

    fn insert(&mut self, info: &Arc<ParticipantInfo>) {
        self.participants.insert(info.identity.clone(), Arc::clone(info));
    }

    fn remove(&mut self, info: &Arc<ParticipantInfo>) -> Change {
        self.participants.remove(&info.identity);
        (ParticipantChange::Left, Arc::clone(info))
    }
}
