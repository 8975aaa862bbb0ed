//! Workers on loopback, with real WebRTC clients.

// Helpers of tests are tests: what they unwrap is an assertion.
#![allow(clippy::unwrap_used)]

mod client;
mod exchange;
mod hostile;
mod lifecycle;
mod moving;
mod site;
