//! What a relay's error responses mean. The protocol below keeps to itself why something failed.

use std::collections::VecDeque;

use turn_client_proto::types::message::ALLOCATE;
use turn_client_proto::types::stun::attribute::{AttributeStaticType, ErrorCode, Userhash, Username};
use turn_client_proto::types::stun::message::{Message, MessageClass, TransactionId};

use super::TurnError;

/// Requests that may still be answered.
const REQUESTS_MAX: usize = 32;
/// A reason longer than this is cut.
const REASON_CHARS_MAX: usize = 128;

/// The requests that were sent, so that only answers to them count.
#[derive(Debug, Default)]
pub(super) struct Requests(VecDeque<Sent>);

#[derive(Debug)]
struct Sent {
    transaction: TransactionId,
    /// It carried credentials.
    is_signed: bool,
    is_allocate: bool,
}

impl Requests {
    /// Something is sent to the relay.
    pub(super) fn note_sent(&mut self, message: &[u8]) {
        let Some(message) = stun(message).filter(|message| message.has_class(MessageClass::Request)) else {
            return;
        };
        let transaction = message.transaction_id();
        if self.0.iter().any(|sent| sent.transaction == transaction) {
            return;
        }
        if self.0.len() == REQUESTS_MAX {
            self.0.pop_front();
        }
        let is_signed = message.has_attribute(Username::TYPE) || message.has_attribute(Userhash::TYPE);
        self.0.push_back(Sent { transaction, is_signed, is_allocate: message.has_method(ALLOCATE) });
    }

    /// Why the allocation cannot be had or kept, if that is what has come.
    pub(super) fn refusal(&self, message: &[u8]) -> Option<TurnError> {
        let message = stun(message).filter(|message| message.has_class(MessageClass::Error))?;
        let sent = self.0.iter().find(|sent| sent.transaction == message.transaction_id())?;
        let error = message.attribute::<ErrorCode>().ok()?;
        match (error.code(), sent.is_allocate) {
            // The first request carries no credentials: this is how they are asked for. A nonce may grow stale.
            (401, _) if !sent.is_signed => None,
            (438, _) => None,
            (code @ 401, _) | (code @ (400 | 441), true) if sent.is_signed => {
                Some(TurnError::WrongCredentials { code })
            }
            (437, true) => Some(TurnError::Mismatch),
            (437, false) => Some(TurnError::Lost),
            (486, true) => Some(TurnError::QuotaReached),
            (code, true) => Some(TurnError::Refused { code, reason: reason(&error) }),
            // A peer that is not allowed: that is told apart elsewhere, and the allocation stays.
            (_, false) => None,
        }
    }
}

fn stun(message: &[u8]) -> Option<Message<'_>> {
    Message::from_bytes(message).ok()
}

/// The relay's words, without anything that could disturb who shows them.
fn reason(error: &ErrorCode) -> String {
    error.reason().chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use turn_client_proto::types::message::{CREATE_PERMISSION, REFRESH};
    use turn_client_proto::types::stun::message::{MessageWriteVec, Method};
    use turn_client_proto::types::stun::prelude::{MessageWrite, MessageWriteExt};

    use super::*;

    /// What is made of an error response to a request.
    fn seen(method: Method, is_signed: bool, code: u16) -> Option<TurnError> {
        let mut request = Message::builder_request(method, MessageWriteVec::new());
        if is_signed {
            request.add_attribute(&Username::new("ada").unwrap()).unwrap();
        }
        let request = request.finish();
        let mut requests = Requests::default();
        requests.note_sent(&request);
        requests.refusal(&response(&request, code))
    }

    fn response(request: &[u8], code: u16) -> Vec<u8> {
        let request = Message::from_bytes(request).unwrap();
        let mut response = Message::builder_error(&request, MessageWriteVec::new());
        response.add_attribute(&ErrorCode::new(code, "because\u{1b}[2J").unwrap()).unwrap();
        response.finish()
    }

    #[test]
    fn errors_mean_what_they_mean_where_they_come() {
        assert!(seen(ALLOCATE, false, 401).is_none(), "a challenge");
        assert!(matches!(seen(ALLOCATE, true, 401), Some(TurnError::WrongCredentials { code: 401 })));
        assert!(matches!(seen(ALLOCATE, true, 400), Some(TurnError::WrongCredentials { code: 400 })));
        assert!(matches!(seen(ALLOCATE, false, 400), Some(TurnError::Refused { code: 400, .. })));
        assert!(seen(ALLOCATE, true, 438).is_none(), "a stale nonce");
        assert!(matches!(seen(ALLOCATE, true, 437), Some(TurnError::Mismatch)));
        assert!(matches!(seen(REFRESH, true, 437), Some(TurnError::Lost)));
        assert!(matches!(seen(ALLOCATE, true, 486), Some(TurnError::QuotaReached)));
        assert!(seen(CREATE_PERMISSION, true, 403).is_none(), "a peer that is not allowed");
        let Some(TurnError::Refused { code: 508, reason }) = seen(ALLOCATE, true, 508) else { panic!() };
        assert_eq!(reason, "because[2J");
    }

    #[test]
    fn answers_to_what_was_not_asked_mean_nothing() {
        let request = Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish();
        assert!(Requests::default().refusal(&response(&request, 508)).is_none());
        assert!(Requests::default().refusal(b"no message").is_none());
    }

    #[test]
    fn requests_are_bounded() {
        let mut requests = Requests::default();
        for _ in 0..100 {
            let request = Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish();
            requests.note_sent(&request);
            requests.note_sent(&request);
        }
        assert_eq!(requests.0.len(), REQUESTS_MAX);
    }
}
