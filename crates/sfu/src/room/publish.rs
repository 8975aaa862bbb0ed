//! Publishing data tracks (protocol §5.1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use trackyard_proto::sid::SidKind;
use trackyard_proto::signal::{DataTrackPublication, Echo, PublishDataTrack, Reason, SubscriptionOptions};
use trackyard_proto::{DataTrackInfo, Encryption, FrameEncoding, Response, SchemaEncoding, limits};
use trackyard_wire::{Handle, Header};

use super::Room;
use super::leave::Ending;
use super::notice::News;
use super::track::Track;
use crate::control::{PeerId, RouteChange, TrackKey, WorkerId};

/// A refusal's reason and text.
type Refused = (Reason, &'static str);

/// What a participant that leaves had published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Withdrawn {
    /// Nothing.
    Nothing,
    /// Tracks that end at once.
    Tracks,
    /// Tracks whose last wills are on their way.
    WithLastWills,
}

impl Room {
    /// A client publishes a data track, or is told why it may not.
    pub(super) fn publish(&mut self, peer: PeerId, publication: PublishDataTrack) {
        match self.check_publication(peer, &publication) {
            Ok((key, handle)) => self.add_track(peer, (key, handle), publication),
            Err(how) => {
                self.counters.tracks_refused += 1;
                self.respond(peer, 0, how, Some(publication.echo));
            }
        }
    }

    /// A client takes a data track back. It always hears of its end, because it waits for nothing else.
    pub(super) fn unpublish(&mut self, peer: PeerId, pub_handle: u32, echo: Echo) {
        let handle = u16::try_from(pub_handle).ok();
        let track = handle.and_then(|handle| self.members.get(peer)?.published.by_handle(handle));
        if let Some(track) = track {
            return self.end_track(peer, track, Ending::Deliberate);
        }
        self.respond(peer, 0, (Reason::NotFound, "no data track is published under this handle"), Some(echo));
        self.tell(peer, Response::DataTrackUnpublished(Arc::new(nothing_under(handle.unwrap_or_default()))));
    }

    /// Takes all tracks of a participant that may no longer publish, and tells it.
    pub(super) fn revoke_tracks(&mut self, peer: PeerId) {
        let keys = self.members.get(peer).map(|member| member.published.keys()).unwrap_or_default();
        self.counters.tracks_revoked += keys.len() as u64;
        for key in keys {
            self.end_track(peer, key, Ending::Vanished);
        }
    }

    /// Takes all tracks of a participant that leaves.
    pub(super) fn withdraw_tracks(&mut self, peer: PeerId, ending: Ending) -> Withdrawn {
        let keys = self.members.get(peer).map(|member| member.published.keys()).unwrap_or_default();
        let is_willed = keys.iter().fold(false, |is_willed, key| {
            let removed = self.remove_track(*key, ending);
            is_willed | removed.is_some_and(|(_, is_willed)| is_willed)
        });
        match (keys.is_empty(), is_willed) {
            (true, _) => Withdrawn::Nothing,
            (false, false) => Withdrawn::Tracks,
            (false, true) => Withdrawn::WithLastWills,
        }
    }

    fn check_publication(
        &self,
        peer: PeerId,
        wish: &PublishDataTrack,
    ) -> Result<(TrackKey, Handle), Refused> {
        let Some(member) = self.members.get(peer) else {
            return Err((Reason::NotFound, "no such participant"));
        };
        if !self.config.data_tracks {
            return Err((Reason::NotAllowed, "data tracks are not enabled"));
        }
        if !member.face().permission.can_publish_data {
            return Err((Reason::NotAllowed, "not allowed to publish data tracks"));
        }
        let handle = u16::try_from(wish.pub_handle).ok().and_then(Handle::new);
        let handle = handle.ok_or((Reason::InvalidHandle, "a handle is between 1 and 65535"))?;
        if wish.name.is_empty() || wish.name.len() > limits::NAME_BYTES {
            return Err((Reason::InvalidName, "a name has between 1 and 256 bytes"));
        }
        check_description(wish, self.config.limits.state.custom_encoding_bytes)?;
        if !member.verified.claims.trackyard.may_publish(&wish.name) {
            return Err((Reason::NotAllowed, "the token does not allow a data track of this name"));
        }
        if member.published.by_handle(handle.get()).is_some() {
            return Err((Reason::DuplicateHandle, "a data track is already published under this handle"));
        }
        if member.published.has_name(&wish.name) {
            return Err((Reason::DuplicateName, "a data track is already published under this name"));
        }
        check_last_will(wish, member.published.last_will_bytes())?;
        let key = self.next_track().ok_or((Reason::LimitExceeded, "the room has no more track numbers"))?;
        Ok((key, handle))
    }

    /// Unique on this node: rooms are numbered, and tracks within them.
    fn next_track(&self) -> Option<TrackKey> {
        let number = u32::try_from(self.serial + 1).ok()?;
        Some(TrackKey((self.key.0 << 32) | u64::from(number)))
    }

    fn add_track(&mut self, peer: PeerId, (key, handle): (TrackKey, Handle), publication: PublishDataTrack) {
        let Some(worker) = self.members.get(peer).map(|member| member.worker) else { return };
        let PublishDataTrack { name, encryption, frame_encoding, schema, last_will, latch, delivery, .. } =
            publication;
        let sid = self.draw_sid(SidKind::DataTrack);
        let schedule = self.config.track_rules.schedule(&name, delivery, latch);
        let latched = schedule.is_latched();
        let pub_handle = handle.get();
        let info = Arc::new(DataTrackInfo { pub_handle, sid, name, encryption, frame_encoding, schema });
        let added = self.route(worker, RouteChange::AddTrack { track: key, publisher: peer, handle });
        let meter = self.meter_track(key, worker);
        if latched {
            self.route(worker, RouteChange::LatchTrack { track: key, publisher: peer });
        }
        self.serial += 1;
        self.tracks.insert(
            key,
            Track {
                publisher: peer,
                info: Arc::clone(&info),
                schedule,
                serial: self.serial,
                announced_at: None,
                added,
                wanted: BTreeSet::new(),
                hops: BTreeMap::new(),
                unannounced: Vec::new(),
                meter,
            },
        );
        self.counters.tracks_published += 1;
        let is_willed = last_will.is_some();
        self.own_track(peer, (key, last_will), Arc::clone(&info));
        self.notice(peer, News::Published(Arc::clone(&info)));
        self.track_appeared(peer, key);
        // The publisher may send as soon as it reads this: its packets find the track, whose route stands before.
        let answer = DataTrackPublication { info, last_will: is_willed, latched };
        self.tell(peer, Response::DataTrackPublished(answer));
        self.satisfy_pending(key);
    }

    fn own_track(
        &mut self,
        peer: PeerId,
        (key, last_will): (TrackKey, Option<Bytes>),
        info: Arc<DataTrackInfo>,
    ) {
        let Some(member) = self.members.get_mut(peer) else { return };
        member.published.insert(key, info);
        if let Some(packet) = last_will {
            member.published.keep_last_will(key, packet);
        }
        self.publisher_changed(peer);
    }

    /// Its list has changed, and with the first and last track that it publishes at all.
    fn publisher_changed(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let publishes = !member.published.is_empty();
        let changed = std::mem::replace(&mut member.face_mut().is_publisher, publishes) != publishes;
        if changed {
            member.announced.tell_self();
            self.count_changed(peer);
        }
    }

    fn end_track(&mut self, peer: PeerId, key: TrackKey, ending: Ending) {
        let Some((info, is_willed)) = self.remove_track(key, ending) else { return };
        if is_willed {
            self.hold_announcement(peer);
        }
        self.publisher_changed(peer);
        self.track_vanished(peer);
        self.tell(peer, Response::DataTrackUnpublished(info));
    }

    /// Takes a track from everyone; whoever wanted it does no longer. Answers whether its last will is sent.
    fn remove_track(&mut self, key: TrackKey, ending: Ending) -> Option<(Arc<DataTrackInfo>, bool)> {
        let track = self.tracks.remove(key)?;
        let will = self.last_will(key, &track).filter(|_| ending == Ending::Vanished);
        for subscriber in &track.wanted {
            self.lose_track(*subscriber, key);
        }
        let worker = track.added.worker;
        let workers = std::iter::once(worker).chain(track.hops.into_keys()).collect();
        let is_willed = will.is_some();
        match will {
            Some(packet) => {
                let lane = track.schedule.lane(SubscriptionOptions::default());
                self.send_last_will(key, (packet, lane), workers);
            }
            None => self.forget_routes(key, workers),
        }
        self.members.get_mut(track.publisher)?.published.remove(key);
        self.notice(track.publisher, News::Unpublished(Arc::clone(&track.info)));
        Some((track.info, is_willed))
    }

    fn forget_routes(&mut self, track: TrackKey, workers: Vec<WorkerId>) {
        for worker in workers {
            self.route(worker, RouteChange::RemoveTrack { track });
        }
    }
}

/// A will is one packet, made by its publisher since it may be encrypted.
fn check_last_will(wish: &PublishDataTrack, kept_bytes: usize) -> Result<(), Refused> {
    let Some(packet) = &wish.last_will else { return Ok(()) };
    if packet.len() > limits::LAST_WILL_BYTES {
        return Err((Reason::LimitExceeded, "a last will is one packet of at most 1280 bytes"));
    }
    if kept_bytes + packet.len() > limits::LAST_WILLS_BYTES {
        return Err((Reason::LimitExceeded, "the participant's last wills would be too large together"));
    }
    if !Header::parse(packet).is_ok_and(|header| header.is_single()) {
        return Err((Reason::InvalidRequest, "a last will is a data-track packet that is a whole frame"));
    }
    Ok(())
}

/// What is relayed unread still has bounds, and what official clients choke on is not relayed (protocol §5.2).
fn check_description(wish: &PublishDataTrack, custom_bytes_max: usize) -> Result<(), Refused> {
    let bad = |custom: &str| custom.is_empty() || custom.len() > custom_bytes_max;
    if matches!(&wish.frame_encoding, Some(FrameEncoding::Custom(custom)) if bad(custom)) {
        return Err((Reason::InvalidRequest, "the custom frame encoding is empty or too long"));
    }
    let schema = wish.schema.as_ref();
    if schema
        .is_some_and(|schema| matches!(&schema.encoding, Some(SchemaEncoding::Custom(custom)) if bad(custom)))
    {
        return Err((Reason::InvalidRequest, "the custom schema encoding is empty or too long"));
    }
    if schema.is_some_and(|schema| schema.name.len() > limits::NAME_BYTES) {
        return Err((Reason::InvalidRequest, "a schema's name has at most 256 bytes"));
    }
    if wish.encryption == Encryption::Custom {
        return Err((Reason::InvalidRequest, "data tracks are encrypted with GCM or not at all"));
    }
    Ok(())
}

/// Clients look at the handle alone.
fn nothing_under(pub_handle: u16) -> DataTrackInfo {
    DataTrackInfo {
        pub_handle,
        sid: String::new(),
        name: String::new(),
        encryption: Encryption::None,
        frame_encoding: None,
        schema: None,
    }
}
