//! Access tokens and grants (protocol §1.2, §2): read, check, mint and refresh.
//!
//! It never reads a clock: the time of day comes in as Unix seconds. It never echoes a token or a
//! secret, neither in an error nor in a debug representation.

mod claims;
mod crypto;
mod grant;
mod keys;
mod pattern;
mod payload;
mod room_config;
mod token;
mod verify;

pub use claims::{Claims, ParticipantKind, TrackNames};
pub use grant::VideoGrant;
pub use keys::{Keys, KeysError};
pub use pattern::{NamePattern, NamePatterns, PATTERN_BYTES_MAX, PATTERNS_MAX, PatternError, PatternsError};
pub use room_config::{RoomConfig, RoomConfigError};
pub use token::{SignError, Token, VALIDITY_DEFAULT, VALIDITY_REFRESHED_MIN};
pub use verify::{LEEWAY_S, TOKEN_BYTES_MAX, Verified, VerifyError};
