//! A participant's own name, metadata and attributes (protocol §7).
//!
//! A change is made once the server has said yes and shows it. What was set and still holds is set again in a new
//! session, which begins with what its token says.

mod change;
mod error;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard_proto::limits::SIGNAL_MESSAGE_BYTES;
use trackyard_proto::signal::{MetadataUpdate, Reason};
use trackyard_proto::{ParticipantInfo, Request};

pub use change::ProfileChange;
pub use error::ProfileError;

/// For the server's answers.
pub const PROFILE_TIMEOUT: Duration = Duration::from_secs(5);
/// Changes that may be unanswered at once; one more fails.
pub const PROFILE_REQUESTS_MAX: usize = 64;
/// What a request has beside its texts.
const REQUEST_BYTES: usize = 1_024;
/// Requests for data blobs count from 1, and some answers say nothing but the number.
const FIRST_ID: u32 = 1 << 24;

/// Names a change of a participant's own state within a session; never used for two that are unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileRequestId(u32);

/// What has become of a change of a participant's own state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileEvent {
    /// To which it is the answer.
    pub request: ProfileRequestId,
    /// Whether it is made.
    pub result: Result<(), ProfileError>,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum ProfileOutput {
    Request(Request),
    Event(ProfileEvent),
    /// This is made, and belongs into later requests to join.
    Made(ProfileChange),
}

#[derive(Debug)]
struct Asked {
    change: ProfileChange,
    /// The application waits for it; else it is set anew.
    is_wish: bool,
    /// The server has said yes.
    is_accepted: bool,
    /// The server has shown it.
    is_shown: bool,
    /// Nothing while the answers cannot be heard.
    deadline: Option<Instant>,
}

/// Invariant: every change of the application is answered once.
#[derive(Debug)]
pub(crate) struct Profile {
    last_id: u32,
    asked: BTreeMap<u32, Asked>,
    /// What was set in this session, or one before it, and still holds.
    kept: ProfileChange,
    /// This participant, as the server shows it.
    own: Option<Arc<ParticipantInfo>>,
    /// What is said is heard.
    is_signalling: bool,
    is_closed: bool,
    outputs: VecDeque<ProfileOutput>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            last_id: FIRST_ID,
            asked: BTreeMap::new(),
            kept: ProfileChange::default(),
            own: None,
            is_signalling: false,
            is_closed: false,
            outputs: VecDeque::new(),
        }
    }
}

impl Profile {
    pub(crate) fn change(&mut self, change: ProfileChange, now: Instant) -> ProfileRequestId {
        let id = self.next_id();
        match self.check(&change) {
            Ok(()) => self.ask(id, (change, true), now),
            Err(error) => self.tell(id, Err(error)),
        }
        ProfileRequestId(id)
    }

    /// The server's answer to a request, which may be one of these.
    pub(crate) fn answered(&mut self, request_id: u32, (reason, message): (Reason, &str)) {
        let Some(asked) = self.asked.get_mut(&request_id) else { return };
        let message = message.to_owned();
        let error = match reason {
            Reason::Queued => return,
            Reason::Ok => {
                asked.is_accepted = true;
                return self.finish_made();
            }
            Reason::NotAllowed => ProfileError::NotAllowed { message },
            Reason::LimitExceeded => ProfileError::LimitExceeded { message },
            reason => ProfileError::Refused { reason, message },
        };
        self.finish(request_id, Err(error));
    }

    /// The server shows this participant.
    pub(crate) fn shown(&mut self, info: &Arc<ParticipantInfo>) {
        self.own = Some(Arc::clone(info));
        self.look();
        self.finish_made();
    }

    /// What is said is not heard: the time is not counted.
    pub(crate) fn pause(&mut self) {
        self.is_signalling = false;
        self.outputs.retain(|output| !matches!(output, ProfileOutput::Request(_)));
        self.asked.values_mut().for_each(|asked| asked.deadline = None);
    }

    /// The session goes on: what has not been answered is asked again.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.pause();
        self.is_signalling = true;
        let ids: Vec<u32> = self.asked.keys().copied().collect();
        ids.into_iter().for_each(|id| self.say(id, now));
    }

    /// A new session has begun, with this participant: what was set before and does not hold is set anew, in front
    /// of what the application has asked for since.
    pub(crate) fn restart(&mut self, own: &Arc<ParticipantInfo>, now: Instant) {
        self.asked.retain(|_, asked| asked.is_wish);
        self.asked.values_mut().for_each(|asked| (asked.is_accepted, asked.is_shown) = (false, false));
        self.own = Some(Arc::clone(own));
        self.is_signalling = true;
        let missing = self.kept.missing_in(own);
        if !missing.is_empty() {
            let id = self.next_id();
            self.ask(id, (missing, false), now);
        }
        let wishes = self.asked.iter().filter(|(_, asked)| asked.is_wish);
        let wishes: Vec<u32> = wishes.map(|(id, _)| *id).collect();
        wishes.into_iter().for_each(|id| self.say(id, now));
    }

    /// The session is over.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.pause();
        let ids: Vec<u32> = self.asked.keys().copied().collect();
        ids.into_iter().for_each(|id| self.finish(id, Err(ProfileError::Closed)));
    }

    pub(crate) fn poll_output(&mut self) -> Option<ProfileOutput> {
        self.outputs.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.asked.values().filter_map(|asked| asked.deadline).min()
    }

    /// One answer of two is enough in the end: old servers give no other, and what was accepted may have been
    /// changed again by others before it was shown.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let due = self.asked.iter().filter(|(_, asked)| asked.deadline.is_some_and(|at| at <= now));
        let due: Vec<(u32, bool)> =
            due.map(|(id, asked)| (*id, asked.is_accepted || asked.is_shown)).collect();
        for (id, is_answered) in due {
            self.finish(id, if is_answered { Ok(()) } else { Err(ProfileError::Timeout) });
        }
    }

    fn ask(&mut self, id: u32, (change, is_wish): (ProfileChange, bool), now: Instant) {
        let asked = Asked { change, is_wish, is_accepted: false, is_shown: false, deadline: None };
        self.asked.insert(id, asked);
        self.look();
        self.say(id, now);
    }

    /// Says a request, if anyone hears it.
    fn say(&mut self, id: u32, now: Instant) {
        let Some(asked) = self.asked.get_mut(&id).filter(|_| self.is_signalling) else { return };
        asked.deadline = Some(now + PROFILE_TIMEOUT);
        let request: MetadataUpdate = asked.change.to_request(id);
        self.outputs.push_back(ProfileOutput::Request(Request::UpdateMetadata(request)));
    }

    /// Notes which changes show. Of one that a later one takes back, that part need not: updates may be told
    /// together.
    fn look(&mut self) {
        let Some(own) = &self.own else { return };
        let mut later = ProfileChange::default();
        for asked in self.asked.values_mut().rev() {
            asked.is_shown |= asked.change.without(&later).missing_in(own).is_empty();
            later.merge(&asked.change);
        }
        let missing = self.kept.without(&later).missing_in(own);
        self.kept = self.kept.without(&missing);
    }

    fn finish_made(&mut self) {
        let made = self.asked.iter().filter(|(_, asked)| asked.is_accepted && asked.is_shown);
        let made: Vec<u32> = made.map(|(id, _)| *id).collect();
        made.into_iter().for_each(|id| self.finish(id, Ok(())));
    }

    fn finish(&mut self, id: u32, result: Result<(), ProfileError>) {
        let Some(asked) = self.asked.remove(&id) else { return };
        if result.is_ok() {
            self.kept.merge(&asked.change);
            self.outputs.push_back(ProfileOutput::Made(asked.change));
        } else if !asked.is_wish {
            self.kept = self.kept.without(&asked.change);
        }
        if asked.is_wish {
            self.tell(id, result);
        }
    }

    fn tell(&mut self, id: u32, result: Result<(), ProfileError>) {
        let event = ProfileEvent { request: ProfileRequestId(id), result };
        self.outputs.push_back(ProfileOutput::Event(event));
    }

    fn next_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(FIRST_ID);
            if !self.asked.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }

    fn check(&self, change: &ProfileChange) -> Result<(), ProfileError> {
        if self.is_closed {
            return Err(ProfileError::Closed);
        }
        if self.asked.values().filter(|asked| asked.is_wish).count() >= PROFILE_REQUESTS_MAX {
            return Err(ProfileError::TooManyRequests);
        }
        if [&change.name, &change.metadata].into_iter().flatten().any(String::is_empty) {
            return Err(ProfileError::Empty);
        }
        let bytes = change.text_bytes() + REQUEST_BYTES;
        if bytes > SIGNAL_MESSAGE_BYTES {
            let message = format!("{bytes} bytes are more than any request may have");
            return Err(ProfileError::LimitExceeded { message });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
