//! A frame of a data track.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_track::{Frame, RemoteFrame, WallClock};

use crate::clock;

/// A frame of a data track: what an application pushes, and what it receives. Cheap to clone.
///
/// ```
/// use trackyard::DataTrackFrame;
///
/// let frame = DataTrackFrame::new(vec![1, 2, 3]).with_user_timestamp_now();
/// assert_eq!(frame.payload().as_ref(), [1, 2, 3]);
/// assert!(frame.duration_since_timestamp().is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTrackFrame {
    payload: Bytes,
    user_timestamp: Option<u64>,
    reception: Option<Reception>,
}

/// What is known of a frame that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reception {
    number: u64,
    received: Instant,
    publisher: Arc<str>,
    is_last_will: bool,
    is_latched: bool,
}

impl DataTrackFrame {
    /// A frame of these bytes, at most about 2,040,000.
    ///
    /// Bytes with an owner ([`Bytes::from_owner`]) are let go wherever the frame is, mostly while the room's
    /// lock is held: the owner's `drop` must neither call anything of a room nor wait for whoever does.
    pub fn new(payload: impl Into<Bytes>) -> Self {
        Self { payload: payload.into(), user_timestamp: None, reception: None }
    }

    /// With a timestamp that travels with it; milliseconds since the Unix epoch by convention.
    #[must_use]
    pub fn with_user_timestamp(self, timestamp: u64) -> Self {
        Self { user_timestamp: Some(timestamp), ..self }
    }

    /// With the time of day as its timestamp, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn with_user_timestamp_now(self) -> Self {
        self.with_user_timestamp(clock::unix_ms())
    }

    /// The application's bytes.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The application's bytes.
    #[must_use]
    pub fn into_payload(self) -> Bytes {
        self.payload
    }

    /// The timestamp that its publisher gave it, if any; the capture time by convention, in milliseconds
    /// since the Unix epoch.
    #[must_use]
    pub fn user_timestamp(&self) -> Option<u64> {
        self.user_timestamp
    }

    /// How long ago its timestamp was taken, to the millisecond: its age, as far as both machines' clocks
    /// agree. Nothing without a timestamp, or with one that cannot be a time of day in milliseconds: more
    /// than a second ahead of the clock here, or more than a day behind.
    #[must_use]
    pub fn duration_since_timestamp(&self) -> Option<Duration> {
        let clock: WallClock = clock::wall_clock();
        clock.since(self.user_timestamp?, clock.at)
    }

    /// Its number among the frames of its track, which count up by one, missing ones included; nothing for
    /// a frame of one's own. A gap in the numbers is as many lost frames: frames that our server leaves out for
    /// the sake of a rate take no number.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.reception.as_ref().map(|reception| reception.number)
    }

    /// When its last packet came; nothing for a frame of one's own.
    #[must_use]
    pub fn received_at(&self) -> Option<Instant> {
        self.reception.as_ref().map(|reception| reception.received)
    }

    /// Identity of the participant that has published it; nothing for a frame of one's own.
    #[must_use]
    pub fn publisher(&self) -> Option<&str> {
        self.reception.as_ref().map(|reception| &*reception.publisher)
    }

    /// Whether it is what its publisher has left for the case that it vanishes: it has.
    #[must_use]
    pub fn is_last_will(&self) -> bool {
        self.reception.as_ref().is_some_and(|reception| reception.is_last_will)
    }

    /// Whether it was there before this client had subscribed: the server keeps the last frame of a
    /// [latched](crate::DataTrackOptions::latched) track for those who come late. It may be as old as the track.
    #[must_use]
    pub fn is_latched(&self) -> bool {
        self.reception.as_ref().is_some_and(|reception| reception.is_latched)
    }
}

impl From<RemoteFrame> for DataTrackFrame {
    fn from(frame: RemoteFrame) -> Self {
        let RemoteFrame {
            payload,
            user_timestamp,
            number,
            received,
            publisher,
            is_last_will,
            is_latched,
            ..
        } = frame;
        let reception = Reception { number, received, publisher, is_last_will, is_latched };
        Self { payload, user_timestamp, reception: Some(reception) }
    }
}

impl From<DataTrackFrame> for Frame {
    fn from(frame: DataTrackFrame) -> Self {
        Self { payload: frame.payload, user_timestamp: frame.user_timestamp }
    }
}

impl From<Frame> for DataTrackFrame {
    fn from(frame: Frame) -> Self {
        Self { payload: frame.payload, user_timestamp: frame.user_timestamp, reception: None }
    }
}
