//! Calls of late, so that none is answered twice.

use std::collections::{BTreeSet, VecDeque};

/// So many are known; older ones are forgotten.
const RECENT_MAX: usize = 1024;

/// Callers and their names for calls.
#[derive(Debug, Default)]
pub(super) struct Recent {
    order: VecDeque<(String, String)>,
    known: BTreeSet<(String, String)>,
}

impl Recent {
    /// Answers whether it is new.
    pub(super) fn insert(&mut self, caller: &str, id: &str) -> bool {
        let call = (caller.to_owned(), id.to_owned());
        if !self.known.insert(call.clone()) {
            return false;
        }
        self.order.push_back(call);
        if self.order.len() > RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_calls_are_forgotten_and_others_are_not() {
        let mut recent = Recent::default();
        assert!(recent.insert("a", "1") && recent.insert("b", "1"));
        assert!(!recent.insert("a", "1"));
        (0..RECENT_MAX - 1).for_each(|number| assert!(recent.insert("c", &number.to_string())));
        assert!(!recent.insert("b", "1"));
        assert!(recent.insert("a", "1"));
        assert_eq!(recent.order.len(), RECENT_MAX);
        assert_eq!(recent.known.len(), RECENT_MAX);
    }
}
