//! Tracks of others: which are announced, which handle stands for which, and their frames.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use trackyard_proto::signal::SubscriberHandle;
use trackyard_proto::{ParticipantInfo, ParticipantState};
use trackyard_wire::{Header, Reassembler};

use super::event::{ClientEvent, ReceivedFrame};

/// Bytes of unfinished frames per track: two of the largest.
const REASSEMBLY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Tracks of others.
#[derive(Default)]
pub(super) struct RemoteTracks {
    /// Participant sid → the tracks last announced.
    announced: HashMap<String, HashSet<String>>,
    by_handle: HashMap<u16, RemoteTrack>,
}

struct RemoteTrack {
    sid: String,
    reassembler: Reassembler,
}

impl RemoteTracks {
    /// Each list is complete: what is missing from it is unpublished.
    pub(super) fn update(&mut self, participants: &[Arc<ParticipantInfo>]) {
        for participant in participants {
            if participant.state == ParticipantState::Disconnected {
                self.announced.remove(&participant.sid);
                continue;
            }
            let tracks = participant.data_tracks.iter().map(|track| track.sid.clone()).collect();
            self.announced.insert(participant.sid.clone(), tracks);
        }
    }

    /// Notes a handle; `true` if its track was announced before.
    pub(super) fn assign(&mut self, handle: &SubscriberHandle) -> bool {
        let sid = handle.track.track_sid.clone();
        let announced = self.announced.values().any(|tracks| tracks.contains(&sid));
        let track = RemoteTrack { sid, reassembler: Reassembler::new(REASSEMBLY_BYTES_MAX) };
        if self.by_handle.get(&handle.handle).is_none_or(|known| known.sid != track.sid) {
            self.by_handle.insert(handle.handle, track);
        }
        announced
    }

    /// What a packet leads to.
    pub(super) fn packet(&mut self, packet: &[u8], now: Instant) -> Vec<ClientEvent> {
        let Ok(header) = Header::parse(packet) else { return vec![ClientEvent::Malformed] };
        let handle = header.handle.get();
        let Some(track) = self.by_handle.get_mut(&handle) else {
            return vec![ClientEvent::UnknownHandle(handle)];
        };
        let Ok(pushed) = track.reassembler.push(packet) else { return vec![ClientEvent::Malformed] };
        let broken = pushed.dropped.map(|_| ClientEvent::Broken { sid: track.sid.clone() });
        let frame = pushed.frame.map(|frame| {
            ClientEvent::Frame(ReceivedFrame {
                sid: track.sid.clone(),
                number: frame.number.get(),
                arrived: now,
                payload: frame.payload,
            })
        });
        broken.into_iter().chain(frame).collect()
    }
}
