//! The three channels by label (protocol §4.6). All that touches str0m's channels is here, so that
//! another SCTP engine can carry them.

use bytes::Bytes;
use str0m::Rtc;
use str0m::change::SdpApi;
use str0m::channel::{ChannelConfig, ChannelData, ChannelId, Reliability};

use crate::connection::{ChannelKind, ConnectionEvent};

const KINDS: [ChannelKind; 3] = [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack];

/// Channels with other labels that are left open. Each costs time in every write, so more are closed.
const UNKNOWN_MAX: u64 = 16;

/// Which channel is which. A second channel with the same label takes the first one's place.
#[derive(Debug, Default)]
pub(super) struct Channels {
    open: [Option<ChannelId>; 3],
    /// Those we make. The other side may write to one before its confirmation has come (RFC 8832 §6).
    made: [Option<ChannelId>; 3],
    announced: bool,
    unknown: u64,
    /// What each channel held before our first message. The answer that opens a channel is counted
    /// with it, and some of that is never released.
    residues: [Option<usize>; 3],
}

impl Channels {
    /// Puts the channels into the first offer of the side that makes them.
    pub(super) fn announce(&mut self, api: &mut SdpApi<'_>) {
        if !std::mem::replace(&mut self.announced, true) {
            for kind in KINDS {
                self.made[kind as usize] = Some(api.add_channel_with_config(config(kind)));
            }
        }
    }

    /// A channel has opened. Unknown labels carry nothing that is served here.
    pub(super) fn opened(&mut self, rtc: &mut Rtc, id: ChannelId, label: &str) -> Option<ConnectionEvent> {
        let Some(kind) = KINDS.into_iter().find(|kind| kind.label() == label) else {
            self.unknown += 1;
            if self.unknown > UNKNOWN_MAX {
                rtc.direct_api().close_data_channel(id);
            }
            return None;
        };
        self.residues[kind as usize] = None;
        let former = self.open[kind as usize].replace(id);
        if let Some(former) = former.filter(|former| *former != id) {
            rtc.direct_api().close_data_channel(former);
        }
        Some(ConnectionEvent::ChannelOpen(kind))
    }

    /// A channel has ended. One whose place was taken ends unseen.
    pub(super) fn closed(&mut self, id: ChannelId) -> Option<ConnectionEvent> {
        let kind = self.kind(id)?;
        self.open[kind as usize] = None;
        Some(ConnectionEvent::ChannelClosed(kind))
    }

    /// A message has come.
    pub(super) fn message(&self, data: ChannelData) -> Option<ConnectionEvent> {
        let made = || KINDS.into_iter().find(|kind| self.made[*kind as usize] == Some(data.id));
        let kind = self.kind(data.id).or_else(made)?;
        Some(ConnectionEvent::Message(kind, Bytes::from(data.data)))
    }

    /// All have ended with the connection.
    pub(super) fn end(&mut self) {
        (self.open, self.made) = ([None; 3], [None; 3]);
    }

    pub(super) fn is_open(&self, kind: ChannelKind) -> bool {
        self.open[kind as usize].is_some()
    }

    /// Queues a message whole, or not at all.
    pub(super) fn write(&mut self, rtc: &mut Rtc, kind: ChannelKind, message: &[u8]) -> bool {
        let Some(mut channel) = self.open[kind as usize].and_then(|id| rtc.channel(id)) else { return false };
        self.residues[kind as usize].get_or_insert_with(|| channel.buffered_amount());
        matches!(channel.write(true, message), Ok(true))
    }

    /// Bytes of messages queued or in flight.
    pub(super) fn buffered(&self, rtc: &mut Rtc, kind: ChannelKind) -> usize {
        let Some(residue) = self.residues[kind as usize] else { return 0 };
        let channel = self.open[kind as usize].and_then(|id| rtc.channel(id));
        channel.map_or(0, |mut channel| channel.buffered_amount().saturating_sub(residue))
    }

    /// Channels with labels that mean nothing here.
    pub(super) fn unknown(&self) -> u64 {
        self.unknown
    }

    fn kind(&self, id: ChannelId) -> Option<ChannelKind> {
        KINDS.into_iter().find(|kind| self.open[*kind as usize] == Some(id))
    }
}

/// How the side that makes the channels makes them.
fn config(kind: ChannelKind) -> ChannelConfig {
    let (ordered, reliability) = match kind {
        ChannelKind::Reliable => (true, Reliability::Reliable),
        ChannelKind::Lossy | ChannelKind::DataTrack => {
            (false, Reliability::MaxRetransmits { retransmits: 0 })
        }
    };
    ChannelConfig { label: kind.label().to_owned(), ordered, reliability, ..ChannelConfig::default() }
}
