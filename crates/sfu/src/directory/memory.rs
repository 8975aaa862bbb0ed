//! The directory of a single node.

use std::collections::HashMap;

use super::{DirectoryKey, DirectoryReply, DirectoryRequest, DirectoryValue, Outcome, Revision};

/// The records of all rooms of one process. Each is released by the room that made it.
#[derive(Debug, Default)]
pub struct Memory {
    records: HashMap<DirectoryKey, (Revision, DirectoryValue)>,
    last: u64,
}

impl Memory {
    /// Compares and, if the record is as expected, sets.
    #[must_use]
    pub fn apply(&mut self, request: DirectoryRequest) -> DirectoryReply {
        let DirectoryRequest { id, key, expected, value } = request;
        let current = self.records.get(&key);
        if current.map(|(revision, _)| *revision) != expected {
            return DirectoryReply { id, outcome: Outcome::Conflict(current.cloned()) };
        }
        self.last += 1;
        let revision = Revision(self.last);
        match value {
            Some(value) => drop(self.records.insert(key, (revision, value))),
            None => drop(self.records.remove(&key)),
        }
        DirectoryReply { id, outcome: Outcome::Swapped(revision) }
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::RoomRecord;

    fn request(expected: Option<Revision>, sid: Option<&str>) -> DirectoryRequest {
        let value = sid.map(|sid| DirectoryValue::Room(RoomRecord { sid: sid.into(), creation_time_ms: 0 }));
        DirectoryRequest { id: 7, key: DirectoryKey::Room { room: "r".into() }, expected, value }
    }

    fn swapped(reply: DirectoryReply) -> Revision {
        assert_eq!(reply.id, 7);
        match reply.outcome {
            Outcome::Swapped(revision) => revision,
            Outcome::Conflict(current) => panic!("conflict with {current:?}"),
        }
    }

    #[test]
    fn only_who_knows_the_record_changes_it() {
        let mut memory = Memory::default();
        let first = swapped(memory.apply(request(None, Some("a"))));
        let conflict = memory.apply(request(None, Some("b"))).outcome;
        assert!(matches!(conflict, Outcome::Conflict(Some((revision, _))) if revision == first));
        let second = swapped(memory.apply(request(Some(first), Some("b"))));
        assert!(matches!(memory.apply(request(Some(first), None)).outcome, Outcome::Conflict(Some(_))));
        swapped(memory.apply(request(Some(second), None)));
        assert!(memory.is_empty());
        assert_eq!(memory.apply(request(Some(second), None)).outcome, Outcome::Conflict(None));
    }
}
