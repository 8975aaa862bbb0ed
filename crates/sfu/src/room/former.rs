//! Identities whose session has ended lately: a client of it may not know, and still try to resume.
//!
//! Some official clients do not say which session they resume. What they ask for is not given to them if it may be
//! another's: a newer session of their identity would lose its connection to them.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// No official client tries to resume for longer (protocol §9.1).
const RESUMES_MAX: Duration = Duration::from_secs(60);
/// Identities that are remembered; the one whose session ended first is forgotten for one more.
const REMEMBERED_MAX: usize = 1_024;

/// When sessions ended, by a hash of their identity. Two that are taken for one cost an old client a new join.
#[derive(Debug, Default)]
pub(super) struct Former(VecDeque<(Instant, u64)>);

impl Former {
    /// The identity's session has ended.
    pub(super) fn note(&mut self, identity: &str, now: Instant) {
        let is_over = |entry: &(Instant, u64)| now.saturating_duration_since(entry.0) > RESUMES_MAX;
        while self.0.len() >= REMEMBERED_MAX || self.0.front().is_some_and(is_over) {
            self.0.pop_front();
        }
        self.0.push_back((now, hash(identity)));
    }

    /// A client of an earlier session may still try to resume that.
    pub(super) fn may_come_back(&self, identity: &str, now: Instant) -> bool {
        let identity = hash(identity);
        let mut entries = self.0.iter();
        entries.any(|(at, known)| *known == identity && now.saturating_duration_since(*at) <= RESUMES_MAX)
    }
}

fn hash(identity: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_remembered_for_a_while() {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        let mut former = Former::default();
        former.note("ada", now);
        assert!(former.may_come_back("ada", now + RESUMES_MAX));
        assert!(!former.may_come_back("bob", now));
        assert!(!former.may_come_back("ada", now + RESUMES_MAX + Duration::from_millis(1)));
        for number in 0..REMEMBERED_MAX {
            former.note(&format!("guest {number}"), now);
        }
        assert_eq!(former.0.len(), REMEMBERED_MAX);
        assert!(!former.may_come_back("ada", now) && former.may_come_back("guest 0", now));
        former.note("bob", now + 2 * RESUMES_MAX);
        assert_eq!(former.0.len(), 1);
    }
}
