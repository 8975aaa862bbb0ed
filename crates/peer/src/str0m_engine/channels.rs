//! The three channels by label (protocol §4.6).

use str0m::channel::{ChannelConfig, ChannelId, Reliability};

use crate::connection::ChannelKind;

const KINDS: [ChannelKind; 3] = [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack];

/// Which channel is which. A second channel with the same label takes the first one's place.
#[derive(Debug, Default)]
pub(super) struct Channels {
    open: [Option<ChannelId>; 3],
    announced: bool,
}

impl Channels {
    /// Whether the channels have still to be put into an offer of ours; true once.
    pub(super) fn announce(&mut self) -> bool {
        !std::mem::replace(&mut self.announced, true)
    }

    /// Unknown labels carry nothing we serve.
    pub(super) fn opened(&mut self, id: ChannelId, label: &str) -> Option<ChannelKind> {
        let kind = KINDS.into_iter().find(|kind| kind.label() == label)?;
        self.open[kind as usize] = Some(id);
        Some(kind)
    }

    pub(super) fn closed(&mut self, id: ChannelId) -> Option<ChannelKind> {
        let kind = self.kind(id)?;
        self.open[kind as usize] = None;
        Some(kind)
    }

    pub(super) fn kind(&self, id: ChannelId) -> Option<ChannelKind> {
        KINDS.into_iter().find(|kind| self.id(*kind) == Some(id))
    }

    pub(super) fn id(&self, kind: ChannelKind) -> Option<ChannelId> {
        self.open[kind as usize]
    }
}

/// How the side that makes the channels makes them.
pub(super) fn configs() -> [ChannelConfig; 3] {
    KINDS.map(|kind| {
        let (ordered, reliability) = match kind {
            ChannelKind::Reliable => (true, Reliability::Reliable),
            ChannelKind::Lossy | ChannelKind::DataTrack => {
                (false, Reliability::MaxRetransmits { retransmits: 0 })
            }
        };
        ChannelConfig { label: kind.label().to_owned(), ordered, reliability, ..ChannelConfig::default() }
    })
}
