//! Which stream of an association is which channel (protocol §4.6).

use sctp_proto::ReliabilityType;

use super::dcep::Delivery;
use crate::connection::ChannelKind;

/// The channels that carry anything here.
pub(super) const KINDS: [ChannelKind; 3] =
    [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack];

/// Channels with other labels that are left open; more are closed.
const UNKNOWN_MAX: u64 = 16;

/// The three channels by label. A second channel with the same label takes the first one's place.
#[derive(Debug, Default)]
pub(super) struct Channels {
    open: [Option<u16>; 3],
    /// Those we make. The other side may write to one before its confirmation has come (RFC 8832 §6).
    made: [Option<u16>; 3],
    unknown: u64,
}

/// What has become of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// It is this channel now; the stream that was, if any, is to be closed.
    Channel(ChannelKind, Option<u16>),
    /// Its label means nothing here.
    Unknown,
    /// The same, and there are too many: it is to be closed.
    TooMany,
}

impl Channels {
    /// We make a channel on that stream.
    pub(super) fn make(&mut self, kind: ChannelKind, stream: u16) {
        self.made[kind as usize] = Some(stream);
    }

    /// A channel with that label is open.
    pub(super) fn opened(&mut self, stream: u16, label: &str) -> Opened {
        let Some(kind) = KINDS.into_iter().find(|kind| kind.label() == label) else {
            return self.unknown();
        };
        let former = self.open[kind as usize].replace(stream).filter(|former| *former != stream);
        Opened::Channel(kind, former)
    }

    /// The other side has confirmed a channel of ours.
    pub(super) fn confirmed(&mut self, stream: u16) -> Option<ChannelKind> {
        let kind = find(&self.made, stream)?;
        self.open[kind as usize] = Some(stream);
        Some(kind)
    }

    /// A stream that carries nothing here.
    pub(super) fn unknown(&mut self) -> Opened {
        self.unknown += 1;
        if self.unknown > UNKNOWN_MAX { Opened::TooMany } else { Opened::Unknown }
    }

    /// A stream has ended. One whose place was taken ends unseen.
    pub(super) fn closed(&mut self, stream: u16) -> Option<ChannelKind> {
        let kind = find(&self.open, stream)?;
        self.open[kind as usize] = None;
        Some(kind)
    }

    /// All have ended with the association.
    pub(super) fn end(&mut self) {
        (self.open, self.made) = ([None; 3], [None; 3]);
    }

    pub(super) fn stream(&self, kind: ChannelKind) -> Option<u16> {
        self.open[kind as usize]
    }

    /// Whose messages a stream carries.
    pub(super) fn kind(&self, stream: u16) -> Option<ChannelKind> {
        find(&self.open, stream).or_else(|| find(&self.made, stream))
    }

    pub(super) fn unknown_count(&self) -> u64 {
        self.unknown
    }
}

/// How the side that makes the channels makes them.
pub(super) fn delivery(kind: ChannelKind) -> Delivery {
    let (unordered, reliability) = match kind {
        ChannelKind::Reliable => (false, ReliabilityType::Reliable),
        ChannelKind::Lossy | ChannelKind::DataTrack => (true, ReliabilityType::Rexmit),
    };
    Delivery { unordered, reliability, parameter: 0 }
}

fn find(streams: &[Option<u16>; 3], stream: u16) -> Option<ChannelKind> {
    KINDS.into_iter().find(|kind| streams[*kind as usize] == Some(stream))
}
