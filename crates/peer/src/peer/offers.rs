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
    unanswered: Option<Offer>,
    wanted: bool,
    wanted_restart: bool,
}

/// An offer that went out.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) id: u32,
    pub(super) sdp: String,
    restarts_ice: bool,
}

/// What to do about a wish for an offer.
#[derive(Debug)]
pub(super) enum Wish {
    /// Make an offer.
    Make,
    /// Send the unanswered one again.
    Repeat(Offer),
    /// Wait for the answer to the unanswered one.
    Wait,
}

impl Offers {
    pub(super) fn new(first_id: u32) -> Self {
        Self { next_id: first_id.max(1), unanswered: None, wanted: false, wanted_restart: false }
    }

    /// Another offer is wanted. A restart is wanted by who has lost touch with its client: the
    /// unanswered offer, or its answer, may have been lost with it.
    pub(super) fn request(&mut self, ice_restart: bool) -> Wish {
        let Some(unanswered) = self.unanswered.as_ref() else {
            self.want(ice_restart);
            return Wish::Make;
        };
        let repeated = unanswered.clone();
        if !ice_restart {
            self.want(false);
            return Wish::Wait;
        }
        if !repeated.restarts_ice {
            self.want(true);
        }
        Wish::Repeat(repeated)
    }

    pub(super) fn next_is_restart(&self) -> bool {
        self.wanted_restart
    }

    /// An offer goes out; answers its id.
    pub(super) fn sent(&mut self, sdp: &str) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.unanswered = Some(Offer { id, sdp: sdp.to_owned(), restarts_ice: self.wanted_restart });
        self.nothing_to_offer();
        id
    }

    /// Nothing is left to negotiate.
    pub(super) fn nothing_to_offer(&mut self) {
        self.wanted = false;
        self.wanted_restart = false;
    }

    /// Whether an answer belongs to the unanswered offer; 0 fits any.
    pub(super) fn answers(&self, id: u32) -> bool {
        self.unanswered.as_ref().is_some_and(|unanswered| id == 0 || id == unanswered.id)
    }

    /// The offer is answered; `true` if another is wanted.
    pub(super) fn answered(&mut self) -> bool {
        self.unanswered = None;
        self.wanted
    }

    fn want(&mut self, ice_restart: bool) {
        self.wanted = true;
        self.wanted_restart |= ice_restart;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_offer_waits_for_the_answer_to_the_first() {
        let mut offers = Offers::new(0);
        assert!(matches!(offers.request(false), Wish::Make));
        assert_eq!(offers.sent("first"), 1);
        assert!(matches!(offers.request(false), Wish::Wait));
        assert!(!offers.answers(7));
        assert!(offers.answers(0) && offers.answers(1));
        assert!(offers.answered());
        assert!(!offers.next_is_restart());
        assert_eq!(offers.sent("second"), 2);
        assert!(!offers.answered());
    }

    #[test]
    fn a_restart_repeats_the_unanswered_offer_and_follows_unless_that_is_one() {
        let mut offers = Offers::new(0);
        for (id, followed) in [(1, true), (2, false)] {
            offers.sent("description");
            let Wish::Repeat(repeated) = offers.request(true) else { panic!("it is not repeated") };
            assert_eq!((repeated.id, repeated.sdp.as_str()), (id, "description"));
            assert_eq!(offers.answered(), followed);
            assert_eq!(offers.next_is_restart(), followed);
        }
    }
}
