//! One track this client publishes, or is about to.

use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_proto::Request;
use trackyard_proto::signal::PublishDataTrack;
use trackyard_wire::{FrameNumber, Handle, Sequence};

use crate::local::latch::Latch;
use crate::local::options::PublishOptions;
use crate::local::stats::Tally;

/// For the server's answer to a wish to publish (protocol appendix C).
pub const PUBLISH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server is given at first to let go of a name or handle that an earlier session of this
/// participant holds, before it is asked again; then twice as long each time.
const RETRY_FIRST: Duration = Duration::from_millis(200);

/// Its options, and how far it has come.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) handle: Handle,
    pub(super) options: PublishOptions,
    /// The packet that the server keeps.
    pub(super) last_will: Option<Bytes>,
    /// The server keeps it.
    pub(super) is_will_kept: bool,
    pub(super) latch: Latch,
    pub(super) state: State,
    /// The number of the next packet and of the next frame. They go on over a new session: a receiver
    /// then sees how many frames it has missed, and takes no packet for one of an old frame.
    pub(super) numbers: (Sequence, FrameNumber),
    /// The lane has rules for frames of one packet.
    pub(super) is_single: bool,
    pub(super) tally: Tally,
    /// When it is armed for.
    pub(super) timer: Option<Instant>,
}

/// How far a publication has come.
#[derive(Debug)]
pub(super) enum State {
    /// The server is to take it for the first time.
    Pending(Wish),
    /// The server has taken it, and calls it so.
    Published(String),
    /// The server is to take it into a new session.
    Republishing(Wish),
}

/// A wish to publish that the server has not answered.
#[derive(Debug, Default)]
pub(super) struct Wish {
    /// When it is given up; nothing while it cannot be heard.
    pub(super) deadline: Option<Instant>,
    /// When it is said again.
    pub(super) retry: Option<Instant>,
    retry_after: Option<Duration>,
    /// It has been said in this session already, and the answer may be lost.
    pub(super) repeated: bool,
}

impl Wish {
    /// It is said now.
    pub(super) fn said(&mut self, now: Instant) {
        self.deadline = Some(now + PUBLISH_TIMEOUT);
        self.retry = None;
    }

    /// It cannot be heard any more: the time is not counted.
    pub(super) fn silence(&mut self) {
        if self.deadline.take().is_some() {
            self.repeated = true;
        }
        self.retry = None;
    }

    /// It is to be said again after a while.
    pub(super) fn retry_later(&mut self, now: Instant) {
        let after = self.retry_after.map_or(RETRY_FIRST, |after| after * 2);
        self.retry_after = Some(after);
        self.retry = Some(now + after);
    }

    pub(super) fn is_retry_due(&self, now: Instant) -> bool {
        self.retry.is_some_and(|at| at <= now)
    }

    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|at| at <= now)
    }
}

impl Track {
    pub(super) fn new(handle: Handle, options: PublishOptions, last_will: Option<Bytes>) -> Self {
        Self {
            handle,
            options,
            last_will,
            is_will_kept: false,
            latch: Latch::default(),
            state: State::Pending(Wish::default()),
            numbers: Default::default(),
            is_single: true,
            tally: Tally::default(),
            timer: None,
        }
    }

    pub(super) fn request(&self) -> Request {
        let PublishOptions { name, encryption, frame_encoding, schema, .. } = &self.options;
        let mut request = PublishDataTrack::new(self.handle.get().into(), name.clone());
        if *encryption != trackyard_proto::Encryption::None {
            request = request.with_encryption(*encryption);
        }
        if let Some(encoding) = frame_encoding {
            request = request.with_frame_encoding(encoding.clone());
        }
        if let Some(schema) = schema {
            request = request.with_schema(schema.clone());
        }
        if let Some(packet) = &self.last_will {
            request = request.with_last_will(packet.clone());
        }
        if self.options.latch {
            request = request.with_latch();
        }
        request = request.with_delivery(self.options.delivery);
        Request::PublishDataTrack(request)
    }

    /// The session has ended; if the server has sent the last will, that has taken the next numbers.
    pub(super) fn leave_place_for_last_will(&mut self) {
        if std::mem::take(&mut self.is_will_kept) {
            let (sequence, frame) = self.numbers;
            self.numbers = (sequence.next(), frame.next());
        }
    }

    /// The sid, while it is published.
    pub(super) fn sid(&self) -> Option<&str> {
        match &self.state {
            State::Published(sid) => Some(sid),
            State::Pending(_) | State::Republishing(_) => None,
        }
    }

    pub(super) fn wish(&mut self) -> Option<&mut Wish> {
        match &mut self.state {
            State::Pending(wish) | State::Republishing(wish) => Some(wish),
            State::Published(_) => None,
        }
    }

    /// When something is due.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Pending(wish) | State::Republishing(wish) => {
                [wish.deadline, wish.retry].into_iter().flatten().min()
            }
            State::Published(_) => None,
        }
    }
}
