//! Packets of other participants.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_proto::packet::EncryptedPacket;
use trackyard_proto::signal::ReceiveState;
use trackyard_proto::{DataPacket, Encryption, PacketKind, PacketValue};
use trackyard_track::CipherError;

use super::cipher::PacketCipher;
use super::event::{PacketEvent, PacketStats};

/// What a sender's last number counts for (protocol §6.2).
const RECEIVE_STATE_TTL: Duration = Duration::from_secs(30);
/// Senders of whom the last number is kept; when there are more, the one that has been silent longest goes.
const SENDERS_MAX: usize = 4_096;
/// Senders of whom is kept why their packets cannot be decrypted; of more it is not told.
const UNDECRYPTABLE_MAX: usize = 1_024;

/// Packets of other participants.
///
/// Invariant: of one sender's numbered packets none is given twice, and none out of order.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// By the sender's sid.
    states: HashMap<String, State>,
    /// By identity, why packets cannot be decrypted.
    undecryptable: HashMap<String, Option<CipherError>>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    last_sequence: u32,
    at: Instant,
}

impl State {
    fn is_valid(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < RECEIVE_STATE_TTL
    }
}

/// What a packet is read with.
pub(crate) struct Means<'m> {
    pub(crate) cipher: Option<&'m mut PacketCipher>,
    pub(crate) stats: &'m mut PacketStats,
}

impl Incoming {
    /// A message has come on one of the two channels.
    pub(crate) fn message(
        &mut self,
        (kind, message): (PacketKind, &Bytes),
        means: Means<'_>,
        now: Instant,
    ) -> Option<PacketEvent> {
        let Ok(packet) = DataPacket::decode(message) else {
            means.stats.malformed += 1;
            return None;
        };
        let packet = DataPacket { kind, ..packet };
        if !self.is_new(&packet, now) {
            means.stats.duplicates += 1;
            return None;
        }
        match &packet.value {
            PacketValue::Encrypted(sealed) => self.encrypted(&packet, sealed, means),
            _ => {
                means.stats.received += 1;
                Some(PacketEvent::Received { packet: Box::new(packet), encryption: Encryption::None })
            }
        }
    }

    /// What a server is told when a session is resumed.
    pub(crate) fn receive_states(&self, now: Instant) -> Vec<ReceiveState> {
        let valid = self.states.iter().filter(|(_, state)| state.is_valid(now));
        let mut states: Vec<_> = valid
            .map(|(sid, state)| ReceiveState {
                publisher_sid: sid.clone(),
                last_sequence: state.last_sequence,
            })
            .collect();
        states.sort_by(|one, other| one.publisher_sid.cmp(&other.publisher_sid));
        states
    }

    /// A participant has left, and what could not be decrypted of it is forgotten.
    pub(crate) fn left(&mut self, identity: &str) {
        self.undecryptable.remove(identity);
    }

    fn is_new(&mut self, packet: &DataPacket, now: Instant) -> bool {
        let DataPacket { kind, participant_sid, sequence, .. } = packet;
        if *kind == PacketKind::Lossy || *sequence == 0 || participant_sid.is_empty() {
            return true;
        }
        let state = State { last_sequence: *sequence, at: now };
        match self.states.get_mut(participant_sid) {
            Some(known) if known.is_valid(now) && *sequence <= known.last_sequence => false,
            Some(known) => {
                *known = state;
                true
            }
            None => {
                self.make_room(now);
                self.states.insert(participant_sid.clone(), state);
                true
            }
        }
    }

    fn make_room(&mut self, now: Instant) {
        if self.states.len() < SENDERS_MAX {
            return;
        }
        self.states.retain(|_, state| state.is_valid(now));
        if self.states.len() >= SENDERS_MAX {
            let oldest = self.states.iter().min_by_key(|(_, state)| state.at);
            if let Some(sid) = oldest.map(|(sid, _)| sid.clone()) {
                self.states.remove(&sid);
            }
        }
    }

    fn encrypted(
        &mut self,
        packet: &DataPacket,
        sealed: &EncryptedPacket,
        means: Means<'_>,
    ) -> Option<PacketEvent> {
        let identity = packet.participant_identity.as_str();
        let opened = match means.cipher {
            Some(cipher) => cipher.open(identity, sealed).map_err(Some),
            None => Err(None),
        };
        let payload = match opened {
            Ok(payload) => payload,
            Err(error) => {
                means.stats.undecryptable += 1;
                return self.tell_undecryptable(identity, error);
            }
        };
        self.undecryptable.remove(identity);
        let Ok(value) = PacketValue::decode_payload(&payload) else {
            means.stats.malformed += 1;
            return None;
        };
        means.stats.received += 1;
        let packet = Box::new(DataPacket { value, ..envelope(packet) });
        Some(PacketEvent::Received { packet, encryption: Encryption::Gcm })
    }

    fn tell_undecryptable(&mut self, identity: &str, error: Option<CipherError>) -> Option<PacketEvent> {
        let known = self.undecryptable.get(identity);
        let is_told = known.is_some_and(|known| *known == error);
        if is_told || (known.is_none() && self.undecryptable.len() >= UNDECRYPTABLE_MAX) {
            return None;
        }
        self.undecryptable.insert(identity.to_owned(), error);
        Some(PacketEvent::Undecryptable { identity: identity.to_owned(), error })
    }
}

/// All of a packet but its value.
fn envelope(packet: &DataPacket) -> DataPacket {
    DataPacket {
        kind: packet.kind,
        participant_sid: packet.participant_sid.clone(),
        participant_identity: packet.participant_identity.clone(),
        destination_identities: packet.destination_identities.clone(),
        sequence: packet.sequence,
        value: PacketValue::Other,
    }
}

#[cfg(test)]
mod tests;
