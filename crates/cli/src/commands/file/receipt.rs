//! What a receiver tells the sender of a file: that it comes, has come whole, or was not taken.

use serde::{Deserialize, Serialize};
use trackyard::{DataPublishOptions, LocalParticipant};

/// The attribute by which a sender asks for receipts, with a word by which it tells transfers apart.
pub(super) const ATTRIBUTE: &str = "trackyard.receipt";
/// The topic of receipts.
pub(super) const TOPIC: &str = "trackyard.receipt";
/// What is taken of a receipt; no receiver writes more.
const RECEIPT_BYTES_MAX: usize = 4 * 1024;
/// What a sender's word has; others are not answered.
const WORD_BYTES_MAX: usize = 64;

/// What a receiver tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Receipt {
    /// The sender's word for it.
    pub(super) transfer: String,
    pub(super) state: State,
    /// Bytes that have come.
    pub(super) bytes: u64,
    /// Why it was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It is on its way.
    Receiving,
    /// It is there, and what was sent.
    Received,
    /// It was not taken, or is not what was sent.
    Failed,
}

impl Receipt {
    /// Reads one; nothing if it is none.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let is_short = payload.len() <= RECEIPT_BYTES_MAX;
        is_short.then(|| serde_json::from_slice(payload).ok()).flatten()
    }
}

/// Tells a sender that wants to know.
#[derive(Debug, Clone)]
pub(super) struct Receipts {
    participant: LocalParticipant,
    sender: String,
    /// Nothing if it does not want to.
    transfer: Option<String>,
}

impl Receipts {
    pub(super) fn new(participant: &LocalParticipant, sender: &str, wish: Option<&String>) -> Self {
        let transfer = wish.filter(|word| word.len() <= WORD_BYTES_MAX && !sender.is_empty()).cloned();
        Self { participant: participant.clone(), sender: sender.to_owned(), transfer }
    }

    /// A sender that cannot be told learns less, and loses nothing.
    pub(super) async fn tell(&self, state: State, bytes: u64, error: Option<&str>) {
        let Some(transfer) = self.transfer.clone() else { return };
        let error = error.map(|error| error.chars().take(500).collect());
        let receipt = Receipt { transfer, state, bytes, error };
        let options = DataPublishOptions::reliable().with_topic(TOPIC).with_destination(&self.sender);
        match serde_json::to_vec(&receipt) {
            Ok(payload) => {
                if let Err(error) = self.participant.publish_data(payload, options).await {
                    tracing::debug!(%error, "a sender is not told");
                }
            }
            Err(error) => tracing::debug!(%error, "a receipt cannot be written"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_read_as_they_are_written() {
        let receipt =
            Receipt { transfer: "ab".into(), state: State::Failed, bytes: 3, error: Some("full".into()) };
        let text = r#"{"transfer":"ab","state":"failed","bytes":3,"error":"full"}"#;
        assert_eq!(serde_json::to_string(&receipt).unwrap(), text);
        assert_eq!(Receipt::read(text.as_bytes()), Some(receipt));
    }

    #[test]
    fn what_is_no_receipt_is_none() {
        assert_eq!(Receipt::read(b""), None);
        assert_eq!(Receipt::read(b"{\"transfer\":1}"), None);
        let long = format!(r#"{{"transfer":"{}","state":"received","bytes":3}}"#, "x".repeat(5_000));
        assert_eq!(Receipt::read(long.as_bytes()), None);
    }
}
