//! Our offers for the subscriber connection: one at a time, the next one waits (protocol §4.4).

/// Why a description or a candidate of the client cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct DescriptionError {
    reason: String,
}

impl DescriptionError {
    /// With every cause, for it is the client's author who has to understand it.
    pub(super) fn new(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        let reason = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self { reason }
    }

    pub(super) fn no_offer() -> Self {
        Self { reason: "an answer in single peer connection mode, where the server never offers".to_owned() }
    }
}

/// Which offer is unanswered, and what is wanted next.
#[derive(Debug)]
pub(super) struct Offers {
    next_id: u32,
    unanswered: Option<u32>,
    wanted: bool,
    wanted_restart: bool,
}

impl Offers {
    pub(super) fn new(first_id: u32) -> Self {
        Self { next_id: first_id.max(1), unanswered: None, wanted: false, wanted_restart: false }
    }

    /// Another offer is wanted; `true` if it can go out now.
    pub(super) fn request(&mut self, ice_restart: bool) -> bool {
        self.wanted = true;
        self.wanted_restart |= ice_restart;
        self.unanswered.is_none()
    }

    pub(super) fn next_is_restart(&self) -> bool {
        self.wanted_restart
    }

    /// An offer goes out under this id.
    pub(super) fn sent(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.unanswered = Some(id);
        self.wanted = false;
        self.wanted_restart = false;
        id
    }

    /// There was nothing to negotiate.
    pub(super) fn nothing_to_offer(&mut self) {
        self.wanted = false;
        self.wanted_restart = false;
    }

    /// Whether an answer belongs to the unanswered offer; 0 fits any.
    pub(super) fn answers(&self, id: u32) -> bool {
        self.unanswered.is_some_and(|unanswered| id == 0 || id == unanswered)
    }

    /// The offer is answered; `true` if another is wanted.
    pub(super) fn answered(&mut self) -> bool {
        self.unanswered = None;
        self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_offer_waits_for_the_answer_to_the_first() {
        let mut offers = Offers::new(0);
        assert!(offers.request(false));
        assert_eq!(offers.sent(), 1);
        assert!(!offers.request(true));
        assert!(!offers.answers(7));
        assert!(offers.answers(0) && offers.answers(1));
        assert!(offers.answered());
        assert!(offers.next_is_restart());
        assert_eq!(offers.sent(), 2);
        assert!(!offers.answered());
    }
}
