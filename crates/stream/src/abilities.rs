//! What those can read who shall receive something.

use trackyard_proto::ParticipantInfo;

/// From this client protocol on, calls may be text streams.
const CALLS_AS_STREAMS: i32 = 1;
/// From this client protocol on, a stream may stand in its header, or be compressed.
const STREAMS_V2: i32 = 2;
/// The capability of reading DEFLATE.
const DEFLATE_RAW: i32 = 2;

/// What all recipients can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    client_protocol: i32,
    deflate: bool,
}

impl Abilities {
    /// Of someone of whom nothing is known.
    pub const NONE: Self = Self { client_protocol: 0, deflate: false };

    /// Of one participant.
    #[must_use]
    pub fn of(participant: &ParticipantInfo) -> Self {
        let deflate = participant.capabilities.contains(&DEFLATE_RAW);
        Self { client_protocol: participant.client_protocol, deflate }
    }

    /// What all of these can read; nobody at all can read everything.
    #[must_use]
    pub fn all(recipients: impl IntoIterator<Item = Self>) -> Self {
        let everything = Self { client_protocol: i32::MAX, deflate: true };
        recipients.into_iter().fold(everything, |all, one| Self {
            client_protocol: all.client_protocol.min(one.client_protocol),
            deflate: all.deflate && one.deflate,
        })
    }

    /// Calls as text streams.
    pub(crate) fn reads_calls_as_streams(self) -> bool {
        self.client_protocol >= CALLS_AS_STREAMS
    }

    /// Content within a header.
    pub(crate) fn reads_inline(self) -> bool {
        self.client_protocol >= STREAMS_V2
    }

    /// Compressed content.
    pub(crate) fn reads_deflate(self) -> bool {
        self.reads_inline() && self.deflate
    }
}

#[cfg(test)]
impl Abilities {
    /// Of a client of this protocol that reads DEFLATE.
    pub(crate) fn version(client_protocol: i32) -> Self {
        Self { client_protocol, deflate: true }
    }

    /// Of a client of this protocol that does not.
    pub(crate) fn without_deflate(client_protocol: i32) -> Self {
        Self { client_protocol, deflate: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_able_decides() {
        let full = Abilities::version(2);
        assert!(Abilities::all([]).reads_deflate());
        assert!(Abilities::all([full, full]).reads_deflate());
        let one_cannot = Abilities::all([full, Abilities::without_deflate(2)]);
        assert!(one_cannot.reads_inline() && !one_cannot.reads_deflate());
        let one_is_old = Abilities::all([full, Abilities::version(1)]);
        assert!(one_is_old.reads_calls_as_streams() && !one_is_old.reads_inline());
        assert!(!one_is_old.reads_deflate());
        assert!(!Abilities::all([full, Abilities::NONE]).reads_calls_as_streams());
    }
}
