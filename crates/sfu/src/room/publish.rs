//! Publishing data tracks (protocol §5.1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trackyard_proto::sid::SidKind;
use trackyard_proto::signal::{Echo, PublishDataTrack, Reason};
use trackyard_proto::{DataTrackInfo, Encryption, FrameEncoding, Response, SchemaEncoding, limits};
use trackyard_wire::Handle;

use super::Room;
use super::notice::News;
use super::track::Track;
use crate::control::{PeerId, RouteChange, TrackKey};

/// A refusal's reason and text.
type Refused = (Reason, &'static str);

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
            return self.end_track(peer, track);
        }
        self.respond(peer, 0, (Reason::NotFound, "no data track is published under this handle"), Some(echo));
        self.tell(peer, Response::DataTrackUnpublished(Arc::new(nothing_under(handle.unwrap_or_default()))));
    }

    /// Takes all tracks of a participant that may no longer publish, and tells it.
    pub(super) fn revoke_tracks(&mut self, peer: PeerId) {
        let keys = self.members.get(peer).map(|member| member.published.keys()).unwrap_or_default();
        self.counters.tracks_revoked += keys.len() as u64;
        for key in keys {
            self.end_track(peer, key);
        }
    }

    /// Takes all tracks of a participant that leaves; `true`: it had some.
    pub(super) fn withdraw_tracks(&mut self, peer: PeerId) -> bool {
        let keys = self.members.get(peer).map(|member| member.published.keys()).unwrap_or_default();
        for key in &keys {
            self.remove_track(*key);
        }
        !keys.is_empty()
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
        let PublishDataTrack { name, encryption, frame_encoding, schema, .. } = publication;
        let sid = self.draw_sid(SidKind::DataTrack);
        let lane = self.config.track_rules.lane(&name);
        let pub_handle = handle.get();
        let info = Arc::new(DataTrackInfo { pub_handle, sid, name, encryption, frame_encoding, schema });
        let added = self.routes.push(worker, RouteChange::AddTrack { track: key, publisher: peer, handle });
        self.serial += 1;
        self.tracks.insert(
            key,
            Track {
                publisher: peer,
                info: Arc::clone(&info),
                lane,
                serial: self.serial,
                announced_at: None,
                added,
                wanted: BTreeSet::new(),
                hops: BTreeMap::new(),
                unannounced: Vec::new(),
            },
        );
        self.counters.tracks_published += 1;
        self.own_track(peer, key, Arc::clone(&info));
        self.notice(peer, News::Published(Arc::clone(&info)));
        // The publisher may send as soon as it reads the answer: its packets must find the track.
        self.flush_routes();
        self.track_appeared(peer, key);
        self.tell(peer, Response::DataTrackPublished(info));
        self.satisfy_pending(key);
    }

    fn own_track(&mut self, peer: PeerId, key: TrackKey, info: Arc<DataTrackInfo>) {
        let Some(member) = self.members.get_mut(peer) else { return };
        member.published.insert(key, info);
        self.publisher_changed(peer);
    }

    /// Its list has changed, and with the first and last track that it publishes at all.
    fn publisher_changed(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let publishes = !member.published.is_empty();
        let changed = std::mem::replace(&mut member.face_mut().is_publisher, publishes) != publishes;
        if changed {
            member.announced.tell_self();
            self.counts_changed();
        }
    }

    fn end_track(&mut self, peer: PeerId, key: TrackKey) {
        let Some(info) = self.remove_track(key) else { return };
        self.publisher_changed(peer);
        self.track_vanished(peer);
        self.tell(peer, Response::DataTrackUnpublished(info));
    }

    /// Takes a track from everyone; whoever wanted it does no longer.
    fn remove_track(&mut self, key: TrackKey) -> Option<Arc<DataTrackInfo>> {
        let track = self.tracks.remove(key)?;
        for subscriber in &track.wanted {
            self.lose_track(*subscriber, key);
        }
        let worker = track.added.worker;
        for worker in std::iter::once(worker).chain(track.hops.into_keys()) {
            self.routes.push(worker, RouteChange::RemoveTrack { track: key });
        }
        self.members.get_mut(track.publisher)?.published.remove(key);
        self.notice(track.publisher, News::Unpublished(Arc::clone(&track.info)));
        Some(track.info)
    }
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
