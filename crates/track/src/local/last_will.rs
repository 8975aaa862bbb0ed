//! What a published track leaves to its subscribers if this client vanishes.

use std::time::Instant;

use bytes::Bytes;
use trackyard_wire::{Extensions, Handle, SourceFrame};

use super::push::encrypted;
use super::{LocalTrackId, LocalTracks, PublishError, PublishOptions};
use crate::last_will;

impl LocalTracks {
    /// The packet of a track's last will, sealed now.
    pub(super) fn seal_last_will(
        &mut self,
        handle: Handle,
        options: &PublishOptions,
        now: Instant,
    ) -> Result<Option<Bytes>, PublishError> {
        let Some(frame) = &options.last_will else { return Ok(None) };
        let sealed = encrypted(options.encryption, frame, self.encryptor.as_deref_mut());
        let (payload, encryption) = sealed.map_err(PublishError::LastWillNotEncrypted)?;
        let extensions = Extensions { encryption, user_timestamp: frame.user_timestamp };
        let source = SourceFrame { payload: &payload, extensions, timestamp: self.clock.at(now) };
        Ok(Some(last_will::packet(handle, source)))
    }

    /// Seals a track's last will for a new session, with the key that is in use by now. If there is none, what was
    /// sealed before is as good as it was.
    pub(super) fn reseal_last_will(&mut self, id: LocalTrackId, now: Instant) {
        let Some((handle, options)) = self.tracks.get(&id).map(|track| (track.handle, track.options.clone()))
        else {
            return;
        };
        if let Ok(sealed) = self.seal_last_will(handle, &options, now)
            && let Some(track) = self.tracks.get_mut(&id)
        {
            track.last_will = sealed;
        }
    }
}
