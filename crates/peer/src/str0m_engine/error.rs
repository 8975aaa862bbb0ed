//! Why a description or a candidate cannot be used.

use crate::sdp::SdpError;

/// Why a description or a candidate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Str0mError {
    /// The description breaks a bound or lacks what it needs.
    #[error(transparent)]
    Sdp(#[from] SdpError),
    /// It is not SDP as it should be.
    #[error("the description cannot be parsed")]
    Parse(#[from] str0m::error::SdpError),
    /// It does not fit the connection.
    #[error("the description cannot be used")]
    Unusable(#[from] str0m::RtcError),
    /// It contradicts itself or what was agreed before; the connection has ended.
    #[error("the description contradicts itself or an earlier one")]
    Contradiction,
    /// There is no offer of ours to be answered.
    #[error("an answer without an offer")]
    NoOffer,
    /// Not a candidate.
    #[error("not a candidate")]
    Candidate,
    /// The connection has ended.
    #[error("the connection has ended")]
    Ended,
}
