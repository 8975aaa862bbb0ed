//! User packets from one participant to others (protocol §6.1).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_peer::{ChannelKind, ConnectionFactory, FlowChange, Parcel};
use trackyard_proto::relay::{Delivery, Outline, Sender, Value, seal};

use super::seats::Answer;
use super::slot::{Urgency, contain};
use super::{Worker, WorkerOutput};
use crate::control::{Audience, Event, PeerId, RoomKey, ServerPacket, UserPacket};

/// No client is sent more at once, whatever it says (protocol §6.3).
const PACKET_BYTES_MAX: usize = 65_535;
/// How often one sender is told that a packet was too long.
const TOO_LONG_PAUSE: Duration = Duration::from_secs(1);
/// The flow of what the server itself says; participants are counted from 1.
const SERVER_FLOW: u64 = 0;

/// Why a packet goes no further; none of these is an error of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Malformed,
    Forbidden,
    Repeated,
    Ignored,
    TooLong,
    /// It was the answer to something that the server has asked.
    Answer,
}

impl<F: ConnectionFactory> Worker<F> {
    /// A participant of this worker has sent a user packet.
    pub(super) fn hear(&mut self, from: PeerId, kind: ChannelKind, message: &Bytes, now: Instant) {
        self.counters.messages_in += 1;
        self.counters.messages_in_bytes += message.len() as u64;
        let delivery = if kind == ChannelKind::Lossy { Delivery::Lossy } else { Delivery::Reliable };
        match self.examine(from, delivery, message, now) {
            Ok((room, packet)) => self.spread(room, &Arc::new(packet), now),
            Err(stop) => self.count_stop(stop),
        }
    }

    /// A user packet whose sender lives on another worker.
    pub fn handle_user_packet(&mut self, room: RoomKey, packet: &UserPacket, now: Instant) {
        self.counters.message_crossings_in += 1;
        self.hand_out(room, packet, now);
        self.settle(now);
    }

    /// User packets of this room on their way from another worker were dropped. Whoever was to get them in order
    /// has to begin anew.
    pub fn handle_user_packets_lost(&mut self, room: RoomKey, now: Instant) {
        let members = self.seats.room(room).map(|table| table.members.clone()).unwrap_or_default();
        for peer in members {
            self.behind(peer);
        }
        self.settle(now);
    }

    /// The server has something to say.
    pub(super) fn say(&mut self, speech: ServerPacket, now: Instant) {
        if let Some(request_id) = speech.awaits {
            let mut recipients = Vec::new();
            self.list_recipients(speech.room, &speech.packet, &mut recipients);
            for peer in recipients {
                if let Some(seated) = self.seats.seated_mut(peer) {
                    seated.await_answer(request_id.clone());
                }
            }
        }
        self.hand_out(speech.room, &speech.packet, now);
    }

    /// What a client has that has resumed need not be sent to it again.
    pub(super) fn received(&mut self, peer: PeerId, states: &[(String, u32)]) {
        let Some(table) = self.seats.seated(peer).and_then(|seated| self.seats.room(seated.room)) else {
            self.counters.stale_commands += 1;
            return;
        };
        let mut known: HashMap<u64, u32> = HashMap::new();
        for (sid, last) in states {
            let Some(PeerId(sender)) = table.by_sid(sid) else { continue };
            known.entry(sender).and_modify(|known| *known = *last.max(known)).or_insert(*last);
        }
        let is_new =
            |flow: u64, sequence: u32| sequence == 0 || known.get(&flow).is_none_or(|last| sequence > *last);
        self.with_peer(peer, |peer| peer.retain_reliable(is_new));
        self.mark(peer, Urgency::Soon);
    }

    /// A participant cannot catch up any more.
    pub(super) fn behind(&mut self, peer: PeerId) {
        self.counters.reliable_overflow += 1;
        self.tell(peer, Event::Behind { peer });
    }

    /// What waits for a participant of one sender has become much, or little again.
    pub(super) fn flow_changed(&mut self, receiver: PeerId, change: FlowChange) {
        if change.flow != SERVER_FLOW {
            let sender = PeerId(change.flow);
            self.tell(receiver, Event::Flow { receiver, sender, pauses: change.pauses });
        }
    }

    fn examine(
        &mut self,
        from: PeerId,
        delivery: Delivery,
        message: &Bytes,
        now: Instant,
    ) -> Result<(RoomKey, UserPacket), Stop> {
        let seated = self.seats.seated_mut(from).ok_or(Stop::Forbidden)?;
        if !seated.seat.may_send {
            return Err(Stop::Forbidden);
        }
        let outline = Outline::of(message).map_err(|_| Stop::Malformed)?;
        let sequence = if delivery == Delivery::Reliable { outline.sequence } else { 0 };
        if sequence > 0 && !seated.seat.progress.advance(sequence) {
            return Err(Stop::Repeated);
        }
        let audience = match outline.value {
            Value::User { nonce } if !seated.nonces.is_new(nonce) => return Err(Stop::Repeated),
            Value::RpcAck { request_id } | Value::RpcResponse { request_id } => {
                let is_last = matches!(outline.value, Value::RpcResponse { .. });
                match seated.answer(request_id, is_last) {
                    Answer::Awaited => {
                        self.tell(from, Event::Reply { peer: from, packet: message.clone() });
                        return Err(Stop::Answer);
                    }
                    Answer::Repeated => return Err(Stop::Repeated),
                    Answer::ForOthers => audience(&outline),
                }
            }
            Value::Speaker => return Err(Stop::Ignored),
            Value::Transcription if !seated.seat.is_agent => return Err(Stop::Ignored),
            Value::Metrics => Audience::Metrics,
            _ => audience(&outline),
        };
        let seat = &seated.seat;
        let identity = if seat.is_hidden { "" } else { &seat.identity };
        let sender = Sender { sid: &seat.sid, identity, is_agent: seat.is_agent };
        let sealed = seal(message, &outline, sender, delivery);
        let room = seated.room;
        if sealed.len() > PACKET_BYTES_MAX {
            self.tell_too_long(from, message.len(), now);
            return Err(Stop::TooLong);
        }
        self.count_value(outline.value);
        Ok((room, UserPacket { from: Some(from), delivery, sequence, audience, message: sealed }))
    }

    /// To those on this worker, and once to each other worker of the room.
    fn spread(&mut self, room: RoomKey, packet: &Arc<UserPacket>, now: Instant) {
        let neighbours = self.seats.room(room).map_or(&[][..], |table| &table.neighbours);
        for &to in neighbours {
            let packet = Arc::clone(packet);
            self.outputs.push_back(WorkerOutput::CrossUserPacket { to, room, packet });
        }
        let crossings = neighbours.len();
        self.counters.message_crossings_out += crossings as u64;
        if self.hand_out(room, packet, now) + crossings == 0 {
            self.counters.messages_unheard += 1;
        } else {
            self.counters.messages_routed += 1;
        }
    }

    /// Gives the packet to those of this worker who are to get it; answers how many.
    fn hand_out(&mut self, room: RoomKey, packet: &UserPacket, now: Instant) -> usize {
        let mut recipients = std::mem::take(&mut self.recipients);
        recipients.clear();
        self.list_recipients(room, packet, &mut recipients);
        for &peer in &recipients {
            self.hand_to(peer, packet, now);
        }
        let count = recipients.len();
        self.recipients = recipients;
        self.counters.messages_forwarded += count as u64;
        while let Some(peer) = self.lost.pop() {
            self.lose(peer);
        }
        count
    }

    fn hand_to(&mut self, peer: PeerId, packet: &UserPacket, now: Instant) {
        let Some(slot) = self.peers.get_mut(&peer) else { return };
        let bytes = packet.message.len();
        let handed = contain(|| match packet.delivery {
            Delivery::Reliable => {
                let flow = packet.from.map_or(SERVER_FLOW, |from| from.0);
                let is_named = matches!(packet.audience, Audience::Named { .. });
                let parcel =
                    Parcel { flow, sequence: packet.sequence, is_named, message: packet.message.clone() };
                slot.peer.push_reliable(parcel, now);
            }
            Delivery::Lossy => slot.peer.push_lossy(packet.message.clone(), now),
        });
        match handed {
            Some(()) => self.agenda.add(peer, slot.touch(bytes)),
            None => self.lost.push(peer),
        }
    }

    fn list_recipients(&self, room: RoomKey, packet: &UserPacket, recipients: &mut Vec<PeerId>) {
        let Some(table) = self.seats.room(room) else { return };
        let wants_metrics =
            |peer: &PeerId| self.seats.seated(*peer).is_some_and(|seated| seated.seat.wants_metrics);
        match &packet.audience {
            Audience::All => recipients.extend_from_slice(&table.members),
            Audience::Metrics => recipients.extend(table.members.iter().copied().filter(wants_metrics)),
            Audience::Named { identities, sids } => {
                let by_identity = identities.iter().filter_map(|identity| table.by_identity(identity));
                recipients.extend(by_identity.chain(sids.iter().filter_map(|sid| table.by_sid(sid))));
                recipients.sort_unstable();
                recipients.dedup();
            }
        }
        recipients.retain(|peer| Some(*peer) != packet.from);
    }

    fn tell_too_long(&mut self, peer: PeerId, bytes: usize, now: Instant) {
        let Some(seated) = self.seats.seated_mut(peer) else { return };
        if seated.told_too_long.is_none_or(|told| now.saturating_duration_since(told) >= TOO_LONG_PAUSE) {
            seated.told_too_long = Some(now);
            self.tell(peer, Event::TooLong { peer, bytes });
        }
    }

    fn count_stop(&mut self, stop: Stop) {
        let counters = &mut self.counters;
        *match stop {
            Stop::Malformed => &mut counters.messages_malformed,
            Stop::Forbidden => &mut counters.messages_forbidden,
            Stop::Repeated => &mut counters.messages_repeated,
            Stop::Ignored => &mut counters.messages_ignored,
            Stop::TooLong => &mut counters.messages_too_long,
            Stop::Answer => &mut counters.messages_answers,
        } += 1;
    }

    fn count_value(&mut self, value: Value<'_>) {
        let counters = &mut self.counters;
        let counter = match value {
            Value::TextStream => &mut counters.text_streams,
            Value::ByteStream => &mut counters.byte_streams,
            Value::RpcRequest => &mut counters.rpc_requests,
            Value::RpcResponse { .. } => &mut counters.rpc_responses,
            _ => return,
        };
        *counter += 1;
    }
}

fn audience(outline: &Outline<'_>) -> Audience {
    if outline.is_for_all() {
        return Audience::All;
    }
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Audience::Named {
        identities: owned(&outline.destination_identities),
        sids: owned(&outline.destination_sids),
    }
}
