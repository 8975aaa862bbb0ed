//! Why a relay cannot be used.

use std::io;
use std::time::Duration;

use super::framing::NotTurn;
use super::url::TurnUrlError;

/// For a relay to answer, from the first packet to its address.
pub(super) const ESTABLISH_MAX: Duration = Duration::from_secs(8);

/// Why a relay cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TurnError {
    /// The URL is of no use.
    #[error("the URL cannot be used")]
    Url(#[from] TurnUrlError),
    /// Its name has no address.
    #[error("its name cannot be resolved")]
    Resolve(#[source] io::Error),
    /// It cannot be reached.
    #[error("it cannot be reached")]
    Unreachable(#[source] io::Error),
    /// It does not answer.
    #[error("it does not answer within {} s", ESTABLISH_MAX.as_secs())]
    Timeout,
    /// TLS has failed: mostly a certificate that is not trusted or is another name's.
    #[error("TLS has failed")]
    Tls(#[source] io::Error),
    /// The user name or the credential is wrong, or has expired.
    #[error("it refuses the user name or the credential ({code})")]
    WrongCredentials {
        /// The error code of STUN: 401, or 400 where servers answer so.
        code: u16,
    },
    /// It holds an allocation of somebody else for our address and port (437).
    #[error("it has mixed up this allocation with another one (437)")]
    Mismatch,
    /// This user has as many allocations as are allowed (486).
    #[error("this user has as many allocations as are allowed (486)")]
    QuotaReached,
    /// Something else.
    #[error("it refuses with {code}: {reason}")]
    Refused {
        /// The error code of STUN.
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// It gives an answer that is none.
    #[error("it answers an allocation in a way that cannot be used")]
    Answer,
    /// What comes is not TURN.
    #[error("what comes is not TURN")]
    NotTurn(#[from] NotTurn),
    /// It has closed the connection.
    #[error("it has closed the connection")]
    Closed,
    /// The connection to it broke.
    #[error("the connection to it broke")]
    Broken(#[source] io::Error),
    /// It takes nothing more.
    #[error("it takes nothing more")]
    Stuck,
    /// It has forgotten the allocation, or not renewed it.
    #[error("it has ended the allocation")]
    Lost,
}

impl TurnError {
    /// Trying again is of no use before there are other credentials or servers.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Url(_) | Self::WrongCredentials { .. })
    }
}
