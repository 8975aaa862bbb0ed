//! Diagnosis of a connection, step by step: what `trackyard doctor` asks, for applications that want to say
//! why they cannot connect.
//!
//! Each step is a function with a typed result and a limit to its time; none of them retries, and none goes on
//! in the background. They are meant to be taken in this order, each with what the one before has found:
//!
//! ```no_run
//! use std::time::Duration;
//! use trackyard::diagnose::Server;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let limit = Duration::from_secs(3);
//! let server = Server::new("wss://example.org", &[])?;
//! let addresses = server.resolve(limit).await?;
//! server.reach(addresses[0], limit).await?;
//! let tls = server.check_tls(addresses[0], limit).await;
//! assert_eq!(tls.problem, None);
//! let validation = server.validate(addresses[0], "token", limit).await?;
//! assert!(validation.is_accepted());
//! let signalling = server.signal("token", limit).await?;
//! for candidate in &signalling.report().candidates {
//!     println!("{candidate}: {:?}", signalling.probe(candidate, limit).await);
//! }
//! signalling.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here shows a token, a secret or a relay's credential: texts of a server that hold the token lose it.

mod candidate;
mod certificate;
mod echo;
mod http;
mod probe;
mod reach;
mod relay;
mod server;
mod signalling;
mod stun;
mod tls;
mod token;
mod validate;
mod verifier;

pub use candidate::{Candidate, CandidateTransport, Scope};
pub use certificate::Certificate;
pub use echo::{ECHO_TRACK, Echo, EchoError, EchoPlan, echo};
pub use probe::ProbeOutcome;
pub use reach::{ReachError, ResolveError};
pub use relay::{Relay, RelayFailure};
pub use server::Server;
pub use signalling::{Signalling, SignallingReport, SignallingRoute};
pub use tls::{TlsProblem, TlsReport};
pub use token::TokenClaims;
pub use validate::{Validation, ValidationError};

/// Of a limit, as people read it.
fn seconds(limit: std::time::Duration) -> f32 {
    (limit.as_secs_f32() * 10.0).round() / 10.0
}
