//! Session descriptions and candidates.

use livekit_protocol as pb;

use super::enums::FromNumber;
use crate::signal::{SessionDescription, SignalTarget, Trickle};

/// The only two words clients accept as a description's type (protocol §4.2).
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// `offer`
    Offer,
    /// `answer`
    Answer,
}

/// A description as the message that carries it demands.
pub(super) fn description(description: &SessionDescription, kind: Kind) -> pb::SessionDescription {
    let word = match kind {
        Kind::Offer => "offer",
        Kind::Answer => "answer",
    };
    let tracks = description.mid_to_track_id.iter().map(|(mid, track)| (mid.clone(), track.clone()));
    pb::SessionDescription {
        r#type: word.to_owned(),
        sdp: description.sdp.clone(),
        id: description.id,
        mid_to_track_id: tracks.collect(),
    }
}

impl From<pb::SessionDescription> for SessionDescription {
    fn from(description: pb::SessionDescription) -> Self {
        Self {
            id: description.id,
            sdp: description.sdp,
            mid_to_track_id: description.mid_to_track_id.into_iter().collect(),
        }
    }
}

impl From<&Trickle> for pb::TrickleRequest {
    fn from(trickle: &Trickle) -> Self {
        Self {
            candidate_init: trickle.candidate_init.clone(),
            target: trickle.target.number(),
            r#final: trickle.last,
        }
    }
}

impl From<pb::TrickleRequest> for Trickle {
    fn from(trickle: pb::TrickleRequest) -> Self {
        Self {
            candidate_init: trickle.candidate_init,
            target: SignalTarget::from_number(trickle.target),
            last: trickle.r#final,
        }
    }
}
