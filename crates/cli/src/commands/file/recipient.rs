//! What a sender knows of those who receive its file.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trackyard::{DataPacketKind, DataReceived, RoomEvent};

use super::receipt::{Receipt, State, TOPIC};
use crate::text::printable;

/// Receivers that are kept in mind; a room has fewer.
const RECIPIENTS_MAX: usize = 10_000;

/// What a sender knows of those who receive its file.
#[derive(Debug)]
pub(super) struct Recipients {
    /// The sender's word for the file.
    transfer: String,
    fates: BTreeMap<String, Fate>,
    /// Only those that were named receive it.
    is_closed: bool,
}

/// What has become of a file at one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// It has not said anything; official clients never do.
    Silent,
    /// It has begun to come.
    Receiving(u64),
    /// It is there.
    Received,
    /// It was not taken, and why.
    Failed(String),
}

impl Recipients {
    /// Of those that are named, or of whoever tells.
    pub(super) fn new(transfer: &str, named: &[String]) -> Self {
        let fates = named.iter().map(|identity| (identity.clone(), Fate::Silent)).collect();
        Self { transfer: transfer.to_owned(), fates, is_closed: !named.is_empty() }
    }

    /// Takes in what has happened in the room; whether it says something of the file.
    pub(super) fn hear(&mut self, event: &RoomEvent) -> bool {
        match event {
            RoomEvent::DataReceived(data) => self.receipt(data),
            RoomEvent::ParticipantDisconnected(participant) => self.left(participant.identity()),
            _ => false,
        }
    }

    fn receipt(&mut self, data: &DataReceived) -> bool {
        if data.topic.as_deref() != Some(TOPIC) || data.kind != DataPacketKind::Reliable {
            return false;
        }
        let Some(receipt) = Receipt::read(&data.payload).filter(|receipt| receipt.transfer == self.transfer)
        else {
            return false;
        };
        self.note(&data.participant_identity, receipt)
    }

    fn note(&mut self, identity: &str, receipt: Receipt) -> bool {
        let is_known = self.fates.contains_key(identity);
        if identity.is_empty() || (!is_known && (self.is_closed || self.fates.len() >= RECIPIENTS_MAX)) {
            return false;
        }
        let fate = match receipt.state {
            State::Receiving => Fate::Receiving(receipt.bytes),
            State::Received => Fate::Received,
            State::Failed => Fate::Failed(receipt.error.unwrap_or_else(|| "it does not say why".to_owned())),
        };
        self.fates.insert(identity.to_owned(), fate);
        true
    }

    fn left(&mut self, identity: &str) -> bool {
        match self.fates.get_mut(identity) {
            Some(fate @ (Fate::Silent | Fate::Receiving(_))) => {
                *fate = Fate::Failed("it has left the room".to_owned());
                true
            }
            _ => false,
        }
    }

    /// Whether somebody has begun to receive and is not through.
    pub(super) fn is_any_receiving(&self) -> bool {
        self.fates.values().any(|fate| matches!(fate, Fate::Receiving(_)))
    }

    /// Whether somebody that was named has said nothing, or nobody was named, so that others may still say something.
    pub(super) fn is_any_silent(&self) -> bool {
        !self.is_closed || self.fates.values().any(|fate| *fate == Fate::Silent)
    }

    /// Everyone by whom it was not taken, with the reason.
    pub(super) fn failures(&self) -> Vec<String> {
        let failure = |(identity, fate): (&String, &Fate)| match fate {
            Fate::Failed(error) => Some(format!("{}: {}", printable(identity), printable(error))),
            Fate::Silent | Fate::Receiving(_) | Fate::Received => None,
        };
        self.fates.iter().filter_map(failure).collect()
    }

    /// One line for each.
    pub(super) fn text(&self) -> String {
        let line = |(identity, fate): (&String, &Fate)| {
            let fate = match fate {
                Fate::Silent => "was sent it; it does not say whether it has it".into(),
                Fate::Receiving(bytes) => format!("has {bytes} bytes of it, and has not said more").into(),
                Fate::Received => "has it, whole".into(),
                Fate::Failed(error) => printable(error),
            };
            format!("  {}: {fate}\n", printable(identity))
        };
        self.fates.iter().map(line).collect()
    }

    /// For programs, always with the same keys.
    pub(super) fn json(&self) -> Value {
        let object = |(identity, fate): (&String, &Fate)| {
            let (state, error) = match fate {
                Fate::Silent => ("unconfirmed", None),
                Fate::Receiving(_) => ("receiving", None),
                Fate::Received => ("received", None),
                Fate::Failed(error) => ("failed", Some(error)),
            };
            json!({ "identity": identity, "state": state, "error": error })
        };
        self.fates.iter().map(object).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(state: State, error: Option<&str>) -> Receipt {
        Receipt { transfer: "t".into(), state, bytes: 5, error: error.map(str::to_owned) }
    }

    #[test]
    fn those_that_are_named_are_waited_for_and_no_others() {
        let mut recipients = Recipients::new("t", &["a".into(), "b".into()]);
        assert!(recipients.is_any_silent() && !recipients.is_any_receiving());
        assert!(!recipients.note("c", receipt(State::Receiving, None)));
        assert!(recipients.note("a", receipt(State::Receiving, None)));
        assert!(recipients.is_any_receiving());
        assert!(
            recipients.note("a", receipt(State::Received, None))
                && recipients.note("b", receipt(State::Failed, Some("full")))
        );
        assert!(!recipients.is_any_silent() && !recipients.is_any_receiving());
        assert_eq!(recipients.failures(), ["b: full"]);
    }

    #[test]
    fn whoever_leaves_before_it_has_it_has_failed() {
        let mut recipients = Recipients::new("t", &[]);
        for identity in ["a", "b"] {
            assert!(recipients.note(identity, receipt(State::Receiving, None)));
        }
        assert!(recipients.note("a", receipt(State::Received, None)));
        assert!(recipients.left("b") && !recipients.left("a") && !recipients.left("c"));
        assert_eq!(recipients.text(), "  a: has it, whole\n  b: it has left the room\n");
    }
}
