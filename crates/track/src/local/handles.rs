//! Which handle stands for what, on the publisher's side.

use std::collections::HashMap;

use trackyard_wire::Handle;

use crate::local::LocalTrackId;

/// Handles there are.
const HANDLES: usize = u16::MAX as usize;

/// What a handle stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// A track, published or about to be.
    Track(LocalTrackId),
    /// A track that is unpublished, as soon as the server says so. Until then its answer could be
    /// taken for that of another track.
    Leaving,
    /// A track the server was asked for, and did not answer. It still may.
    Abandoned,
}

/// Handles in use. They are given out in turn, so that one is free for long before it is used again.
#[derive(Debug, Default)]
pub(super) struct Handles {
    last: u16,
    holders: HashMap<Handle, Holder>,
    abandoned: usize,
}

impl Handles {
    /// Gives out a handle; one that was abandoned only when there is no other.
    pub(super) fn take(&mut self, id: LocalTrackId) -> Option<Handle> {
        let handle = if self.holders.len() < HANDLES {
            self.next_where(|holder| holder.is_none())
        } else if self.abandoned > 0 {
            self.next_where(|holder| holder == Some(Holder::Abandoned))
        } else {
            None
        }?;
        self.last = handle.get();
        self.set(handle, Holder::Track(id));
        Some(handle)
    }

    pub(super) fn holder(&self, handle: Handle) -> Option<Holder> {
        self.holders.get(&handle).copied()
    }

    pub(super) fn set(&mut self, handle: Handle, holder: Holder) {
        let before = self.holders.insert(handle, holder);
        self.abandoned += usize::from(holder == Holder::Abandoned);
        self.abandoned -= usize::from(before == Some(Holder::Abandoned));
    }

    pub(super) fn free(&mut self, handle: Handle) {
        let before = self.holders.remove(&handle);
        self.abandoned -= usize::from(before == Some(Holder::Abandoned));
    }

    /// Handles of tracks that are leaving, in ascending order.
    pub(super) fn leaving(&self) -> Vec<Handle> {
        let leaving = self.holders.iter().filter(|(_, holder)| **holder == Holder::Leaving);
        let mut handles: Vec<Handle> = leaving.map(|(handle, _)| *handle).collect();
        handles.sort_unstable();
        handles
    }

    /// A new session knows nothing of tracks that were leaving or abandoned.
    pub(super) fn keep_tracks(&mut self) {
        self.holders.retain(|_, holder| matches!(holder, Holder::Track(_)));
        self.abandoned = 0;
    }

    fn next_where(&self, wanted: impl Fn(Option<Holder>) -> bool) -> Option<Handle> {
        let following = (1..=u16::MAX).map(|step| self.last.wrapping_add(step));
        let mut handles = following.chain([self.last]).filter_map(Handle::new);
        handles.find(|handle| wanted(self.holder(*handle)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: u64) -> LocalTrackId {
        LocalTrackId::new(value)
    }

    fn handle(value: u16) -> Handle {
        Handle::new(value).unwrap()
    }

    fn full() -> Handles {
        let mut handles = Handles::default();
        for expected in 1..=u16::MAX {
            assert_eq!(handles.take(id(expected.into())), Some(handle(expected)));
        }
        handles
    }

    #[test]
    fn all_65535_handles_are_given_out_and_0_never() {
        let mut handles = full();
        assert_eq!(handles.take(id(0)), None);
        handles.free(handle(77));
        assert_eq!(handles.take(id(0)), Some(handle(77)));
        assert_eq!(handles.take(id(1)), None);
    }

    #[test]
    fn a_handle_is_free_for_long_before_it_is_used_again() {
        let mut handles = Handles::default();
        for expected in (1..=u16::MAX).chain(1..=10) {
            assert_eq!(handles.take(id(0)), Some(handle(expected)));
            handles.free(handle(expected));
        }
    }

    #[test]
    fn an_abandoned_handle_is_used_when_there_is_no_other() {
        let mut handles = full();
        handles.set(handle(5), Holder::Abandoned);
        handles.set(handle(9), Holder::Leaving);
        assert_eq!(handles.take(id(0)), Some(handle(5)));
        assert_eq!(handles.take(id(0)), None);
        assert_eq!(handles.leaving(), [handle(9)]);
        handles.keep_tracks();
        assert_eq!(handles.take(id(0)), Some(handle(9)));
    }
}
