//! How an outbox behaves: whatever comes in, and on paths of known rate and round trip.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounting;
mod link;
mod paths;
