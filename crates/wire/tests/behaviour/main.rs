//! How packets behave on random and hostile input, and beside the official client.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod differential;
mod hostile;
mod official;
mod round_trip;
