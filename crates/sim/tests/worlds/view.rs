//! What one client has learnt of a room, and the order in which it did.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use trackyard_proto::{ParticipantInfo, ParticipantState, Response};
use trackyard_sim::client::ClientEvent;

use crate::support::check_frame;

/// Packets and handles travel apart: a packet may overtake its handle by no more than this.
const EARLY_MAX: Duration = Duration::from_millis(30);

/// What a client knows of others: identity → session and track sids.
pub(crate) type Known = BTreeMap<String, (String, BTreeSet<String>)>;

/// What one client has learnt.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) known: Known,
    /// Its own sid.
    pub(crate) sid: String,
    pub(crate) ended: bool,
    pub(crate) leave: Option<Response>,
    pub(crate) published: BTreeMap<u16, String>,
    pub(crate) handles: BTreeMap<u16, String>,
    /// Frames that were complete, and of them the last of each track.
    pub(crate) frames: u64,
    last: BTreeMap<String, u32>,
    /// Packets under handles that were not told yet: since when.
    early: BTreeMap<u16, Instant>,
    pub(crate) early_packets: u64,
    resuming: bool,
}

impl View {
    /// Takes in what the client has seen; panics on what must not be.
    pub(crate) fn take(&mut self, events: Vec<(Instant, ClientEvent)>) {
        for (at, event) in events {
            match event {
                ClientEvent::Joined(join) => {
                    self.sid.clone_from(&join.participant.sid);
                    join.other_participants.iter().for_each(|info| self.learn(info));
                }
                ClientEvent::Resumed { .. } => {
                    self.resuming = true;
                    // While it was away, no handle could reach it.
                    self.early.values_mut().for_each(|since| *since = at);
                }
                ClientEvent::Update(infos) => {
                    // The first update after a resume is complete (protocol §9.1).
                    if std::mem::take(&mut self.resuming) {
                        self.known.clear();
                    }
                    infos.iter().for_each(|info| self.learn(info));
                }
                ClientEvent::Published(info) => {
                    self.published.insert(info.pub_handle, info.sid.clone());
                }
                ClientEvent::Handle { handle, announced } => {
                    assert!(announced, "handle {handle:?} before its track's announcement");
                    if let Some(since) = self.early.remove(&handle.handle) {
                        assert!(at - since <= EARLY_MAX, "packets {:?} before handle {handle:?}", at - since);
                    }
                    self.handles.insert(handle.handle, handle.track.track_sid);
                }
                ClientEvent::UnknownHandle(handle) => {
                    self.early_packets += 1;
                    self.early.entry(handle).or_insert(at);
                }
                ClientEvent::Frame(frame) => {
                    let number = check_frame(&frame);
                    let last = self.last.insert(frame.sid, number);
                    assert!(last.is_none_or(|last| last < number), "frame {number} after {last:?}");
                    self.frames += 1;
                }
                ClientEvent::SignalClosed => self.ended = true,
                ClientEvent::Other(response) => {
                    if matches!(*response, Response::Leave { .. }) {
                        self.leave = Some(*response);
                    }
                }
                ClientEvent::Malformed => panic!("a packet that is none"),
                ClientEvent::Failed(error) => panic!("a description could not be used: {error}"),
                ClientEvent::Connected(_)
                | ClientEvent::ChannelOpen(..)
                | ClientEvent::Closed(_)
                | ClientEvent::Broken { .. }
                | ClientEvent::Message(..) => {}
            }
        }
    }

    /// Nothing came under a handle that was never told.
    pub(crate) fn assert_no_strays(&self) {
        assert!(self.early.is_empty(), "packets under handles {:?} that were never told", self.early);
    }

    fn learn(&mut self, info: &ParticipantInfo) {
        if info.sid == self.sid {
            return;
        }
        // By identity, as official clients do: a goodbye of a newer session ends the older one too.
        if info.state == ParticipantState::Disconnected {
            self.known.remove(&info.identity);
        } else {
            let tracks = info.data_tracks.iter().map(|track| track.sid.clone()).collect();
            self.known.insert(info.identity.clone(), (info.sid.clone(), tracks));
        }
    }
}
