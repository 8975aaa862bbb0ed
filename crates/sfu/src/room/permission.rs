//! What participants may do, and its revocation while they are here (protocol §7, §8.2).

use std::sync::Arc;

use trackyard_proto::Permission;
use trackyard_proto::signal::{Reason, SubscriptionPermission};

use super::Room;
use super::audience::Audience;
use super::profile::write_grant;
use crate::control::PeerId;

impl Room {
    /// A publisher says who may subscribe to it.
    pub(super) fn set_audience(&mut self, peer: PeerId, permission: SubscriptionPermission) {
        let Some(audience) = Audience::new(permission, self.config.limits.permission_entries) else {
            self.counters.permissions_too_long += 1;
            let how =
                (Reason::LimitExceeded, "the subscription permission names too many participants and tracks");
            return self.respond(peer, 0, how, None);
        };
        if let Some(member) = self.members.get_mut(peer) {
            member.audience = audience;
        }
        self.reconcile_publisher(peer);
    }

    /// Replaces what a participant may do; what it has beyond that goes.
    pub(super) fn set_permission(&mut self, peer: PeerId, permission: &Permission) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let before = std::mem::replace(&mut member.face_mut().permission, permission.clone());
        let grant = Arc::make_mut(&mut member.verified).claims.video.get_or_insert_default();
        write_grant(grant, permission);
        if before.can_publish_data && !permission.can_publish_data {
            self.revoke_tracks(peer);
        }
        if before.hidden != permission.hidden {
            self.visibility_changed(peer);
        }
        if before.can_subscribe != permission.can_subscribe || before.recorder != permission.recorder {
            self.reconcile_subscriber(peer);
        }
        self.seat_changed(peer);
        self.state_changed(peer);
        self.refresh_soon(peer);
        self.count_changed(peer);
        self.vacated();
        self.occupied();
    }

    /// A participant has become hidden, or visible: others see it leave, or come with all its tracks.
    fn visibility_changed(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let keys = member.published.keys();
        let hidden = member.is_hidden();
        member.announced.forget(if hidden { Vec::new() } else { keys.clone() });
        let info = member.snapshot();
        for key in &keys {
            self.serial += 1;
            let serial = self.serial;
            if let Some(track) = self.tracks.get_mut(*key) {
                track.serial = serial;
                track.announced_at = None;
            }
        }
        if hidden {
            self.disappeared(&info);
        } else {
            self.forget_departure(&info.identity);
        }
        self.reconcile_publisher(peer);
        keys.into_iter().for_each(|key| self.satisfy_pending(key));
    }
}
