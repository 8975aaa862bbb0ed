//! What the parts of a session have to say to each other.

use std::sync::Arc;
use std::time::Instant;

use trackyard_peer::{ChannelKind, Connection, ConnectionFactory};
use trackyard_proto::signal::{Echo, Reason, SyncState};
use trackyard_proto::{PacketKind, ParticipantInfo, Response};
use trackyard_track::{LocalOutput, RemoteOutput};

use super::Session;
use crate::blobs::BlobOutput;
use crate::event::{EngineEvent, Output, ParticipantChange, SessionEvent};

impl<F: ConnectionFactory> Session<F> {
    /// Hands on what the parts have to say to each other, until none has anything left.
    pub(super) fn settle(&mut self, now: Instant) {
        loop {
            let heard = self.drain_engine(now)
                | self.drain_local()
                | self.drain_remote()
                | self.drain_blobs()
                | self.drain_packets()
                | self.drain_profile()
                | self.flush(now);
            if !heard {
                return;
            }
        }
    }

    fn drain_engine(&mut self, now: Instant) -> bool {
        let mut heard = false;
        loop {
            let output = match self.engine.poll_output() {
                Output::OpenSignal(request) => Output::OpenSignal(request),
                Output::CloseSignal => Output::CloseSignal,
                Output::Signal(request) => Output::Signal(request),
                Output::Transmit(target, transmit) => Output::Transmit(target, transmit),
                Output::Event(event) => {
                    heard = true;
                    self.engine_event(event, now);
                    continue;
                }
                Output::Timeout(at) => {
                    self.engine_wake = at;
                    return heard;
                }
            };
            self.outputs.push_back(output);
        }
    }

    fn engine_event(&mut self, event: EngineEvent, now: Instant) {
        match &event {
            EngineEvent::Message(ChannelKind::DataTrack, packet) => return self.remote.packet(packet, now),
            EngineEvent::Message(ChannelKind::Reliable, message) => {
                return self.packet(PacketKind::Reliable, message, now);
            }
            EngineEvent::Message(ChannelKind::Lossy, message) => {
                return self.packet(PacketKind::Lossy, message, now);
            }
            EngineEvent::Joined(join) => {
                self.identity.clone_from(&join.participant.identity);
                self.local.restart(now);
                self.blobs.restart(now);
                self.packets.restart();
                self.packets.set_allowed(join.participant.permission.can_publish_data);
                self.profile.restart(&join.participant, now);
                self.remote.restart(&join.other_participants, now);
            }
            EngineEvent::Reconnecting { .. } => self.pause(),
            EngineEvent::Closed(_) => {
                self.pause();
                self.blobs.close();
                self.packets.close();
                self.profile.close();
                // Nothing follows the end.
                self.drain_blobs();
                self.drain_packets();
                self.drain_profile();
            }
            EngineEvent::Resumed { last_sequence } => self.resumed(*last_sequence, now),
            EngineEvent::Participant(change, info) => self.participant(*change, info, now),
            EngineEvent::Tracks(participants) => {
                let others = participants.iter().filter(|info| info.identity != self.identity);
                others.for_each(|info| self.remote.update(info, now));
            }
            EngineEvent::Response(response) => self.answered(response, now),
            _ => {}
        }
        self.outputs.push_back(Output::Event(SessionEvent::Engine(event)));
    }

    fn participant(&mut self, change: ParticipantChange, info: &Arc<ParticipantInfo>, now: Instant) {
        if info.identity == self.identity {
            self.packets.set_allowed(info.permission.can_publish_data);
            self.profile.shown(info);
        } else if change == ParticipantChange::Left {
            self.remote.left(&info.identity, now);
            // Its tracks end before it is said to have left.
            self.drain_remote();
            self.packets.left(&info.identity);
        }
    }

    fn pause(&mut self) {
        self.local.pause();
        self.remote.pause();
        self.blobs.pause();
        self.profile.pause();
    }

    fn resumed(&mut self, last_sequence: u32, now: Instant) {
        let state = SyncState {
            publish_data_tracks: self.local.sync_state(),
            receive_states: self.packets.receive_states(now),
            ..SyncState::default()
        };
        self.packets.resume(last_sequence);
        self.engine.sync(state, now);
        self.local.resume(now);
        self.remote.resume(now);
        self.blobs.resume(now);
        self.profile.resume(now);
    }

    /// Answers to what was asked for tracks.
    fn answered(&mut self, response: &Response, now: Instant) {
        match response {
            Response::DataTrackPublished(answer) => self.local.published(answer, now),
            Response::DataTrackUnpublished(info) => self.local.unpublished(info),
            Response::RequestResponse { request_id, reason, message, echo } => {
                self.request_answered((*request_id, echo.as_ref()), (*reason, message), now);
            }
            Response::PauseStreams(pauses) => self.packets.outgoing.pause(*pauses, now),
            Response::DataBlobStored { request_id, .. } => self.blobs.stored(*request_id),
            Response::DataBlob { request_id, blob } => self.blobs.found(*request_id, blob),
            Response::SubscriberHandles(handles) => self.remote.handles(handles),
            Response::SubscriptionPermissionUpdate { track_sid, allowed, .. } => {
                self.remote.permission(track_sid, *allowed);
            }
            _ => {}
        }
    }

    /// The number tells requests apart, but for those of data tracks, which have none.
    fn request_answered(&mut self, (id, echo): (u32, Option<&Echo>), answer: (Reason, &str), now: Instant) {
        match echo {
            Some(echo) => self.local.refused(echo, answer, now),
            None => self.blobs.refused(id, answer),
        }
        self.profile.answered(id, answer);
    }

    fn drain_local(&mut self) -> bool {
        let mut heard = false;
        loop {
            match self.local.poll_output() {
                LocalOutput::Request(request) => self.engine.signal(request),
                LocalOutput::Event(event) => {
                    self.outputs.push_back(Output::Event(SessionEvent::Local(event)));
                }
                LocalOutput::Timeout(_) => return heard,
            }
            heard = true;
        }
    }

    fn drain_remote(&mut self) -> bool {
        let mut heard = false;
        loop {
            let event = match self.remote.poll_output() {
                RemoteOutput::Request(request) => {
                    self.engine.signal(request);
                    heard = true;
                    continue;
                }
                RemoteOutput::Event(event) => SessionEvent::Remote(event),
                RemoteOutput::Item(track, item) => SessionEvent::Item(track, item),
                RemoteOutput::Timeout(_) => return heard,
            };
            self.outputs.push_back(Output::Event(event));
        }
    }

    fn drain_blobs(&mut self) -> bool {
        let mut heard = false;
        while let Some(output) = self.blobs.poll_output() {
            heard = true;
            match output {
                BlobOutput::Request(request) => self.engine.signal(request),
                BlobOutput::Event(event) => {
                    self.outputs.push_back(Output::Event(SessionEvent::DataBlob(event)));
                }
            }
        }
        heard
    }

    /// Writes what there is room for; `true` if anything was written.
    fn flush(&mut self, now: Instant) -> bool {
        let wrote = self.flush_tracks(now) | self.flush_packets(now);
        if wrote {
            self.engine.written(now);
        }
        wrote
    }

    fn flush_tracks(&mut self, now: Instant) -> bool {
        let channel = self.engine.publisher();
        self.local.set_open(channel.is_open(ChannelKind::DataTrack), now);
        self.local.set_packet_bytes_max(channel.message_bytes_max());
        self.local.update_buffered(channel.buffered(ChannelKind::DataTrack), now);
        let mut wrote = false;
        while let Some(packet) = self.local.peek(now) {
            if !wrote {
                // Timers of what is written start from what the connection takes for now.
                channel.handle_timeout(now);
            }
            if !channel.write(ChannelKind::DataTrack, packet) {
                self.local.refused_by_channel(now);
                break;
            }
            self.local.written(now);
            wrote = true;
        }
        wrote
    }
}
