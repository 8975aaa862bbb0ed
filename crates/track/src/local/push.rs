//! The way of a frame into the lane of its track: encrypted, cut, accounted for.

use std::borrow::Cow;
use std::time::Instant;

use bytes::Bytes;
use trackyard_lanes::Outbox;
use trackyard_proto::Encryption as Kind;
use trackyard_wire::{Encryption, Extensions, Header, Packetizer, SourceFrame};

use super::{LocalDropReason, LocalTrackId, LocalTracks, PushError, State, Track};
use crate::{CipherError, Encryptor, Frame};

impl LocalTracks {
    /// Pushes a frame; it waits until the channel has room, and is dropped by the track's rules. Never
    /// blocks.
    ///
    /// # Errors
    /// [`PushError`] gives the frame back. One that is refused before it is cut spends no number, so
    /// that it may be pushed again without a gap.
    pub fn try_push(&mut self, track: LocalTrackId, frame: Frame, now: Instant) -> Result<(), PushError> {
        let Some(track) = self.tracks.get_mut(&track) else { return Err(PushError::Unpublished(frame)) };
        match track.state {
            State::Pending(_) => return Err(PushError::Unpublished(frame)),
            State::Republishing(_) => return track.refuse(frame, LocalDropReason::Republishing),
            State::Published(_) => {}
        }
        if !self.is_open {
            return track.refuse(frame, LocalDropReason::NoChannel);
        }
        let (payload, encryption) =
            match encrypted(track.options.encryption, &frame, self.encryptor.as_deref_mut()) {
                Ok(encrypted) => encrypted,
                Err(error) => {
                    track.tally.refuse(LocalDropReason::NotEncrypted);
                    return Err(PushError::NotEncrypted { frame, error });
                }
            };
        let extensions = Extensions { encryption, user_timestamp: frame.user_timestamp };
        let source = SourceFrame { payload: &payload, extensions, timestamp: self.clock.at(now) };
        match track.enqueue(&mut self.outbox, source, self.packet_bytes_max, now) {
            Ok(()) => {
                track.latch.pushed(&frame);
                Ok(())
            }
            Err(NotQueued::Uncut) => track.refuse(frame, LocalDropReason::TooLarge),
            Err(NotQueued::Full) => Err(PushError::Dropped { frame, reason: LocalDropReason::QueueFull }),
        }
    }
}

/// Why the lane does not hold a frame.
enum NotQueued {
    /// It would be more packets than receivers take.
    Uncut,
    /// The lane has dropped and counted it.
    Full,
}

impl Track {
    fn refuse(&mut self, frame: Frame, reason: LocalDropReason) -> Result<(), PushError> {
        self.tally.refuse(reason);
        Err(PushError::Dropped { frame, reason })
    }

    /// Cuts a frame and hands its packets to the lane, each allocated once.
    fn enqueue(
        &mut self,
        outbox: &mut Outbox,
        source: SourceFrame<'_>,
        limit: usize,
        now: Instant,
    ) -> Result<(), NotQueued> {
        let header_bytes = source.extensions.header_bytes();
        let packet_bytes = self.options.packet_size.packet_bytes(source.payload.len(), header_bytes, limit);
        let (sequence, number) = self.numbers;
        let packetizer = Packetizer::new(self.handle, packet_bytes).map_err(|_| NotQueued::Uncut)?;
        let mut packetizer = packetizer.starting_at(sequence, number);
        let packets = packetizer.packetize(source).map_err(|_| NotQueued::Uncut)?;
        let count = u16::try_from(packets.len()).map_err(|_| NotQueued::Uncut)?;
        self.numbers = (sequence.advanced(count), number.next());
        self.follow(count, outbox);
        for packet in packets {
            let packet = Bytes::from(packet);
            let header = Header::parse(&packet).expect("it has just been written");
            outbox.push_owned(self.handle, &header, packet, now);
        }
        if outbox.lane_newest(self.handle) == Some(number) { Ok(()) } else { Err(NotQueued::Full) }
    }

    /// Which frames wait may depend on how large they are.
    fn follow(&mut self, packets: u16, outbox: &mut Outbox) {
        let is_single = packets == 1;
        if std::mem::replace(&mut self.is_single, is_single) != is_single {
            outbox.add_lane(self.handle, self.options.rules.lane_rules(packets.into()));
        }
    }
}

/// The payload as it goes into packets, with what receivers need to decrypt it.
pub(super) fn encrypted<'f>(
    kind: Kind,
    frame: &'f Frame,
    encryptor: Option<&mut (dyn Encryptor + 'static)>,
) -> Result<(Cow<'f, [u8]>, Option<Encryption>), CipherError> {
    if kind == Kind::None {
        return Ok((Cow::Borrowed(&frame.payload), None));
    }
    let (payload, encryption) = encryptor.ok_or(CipherError::Refused)?.encrypt(&frame.payload)?;
    Ok((Cow::Owned(payload), Some(encryption)))
}
