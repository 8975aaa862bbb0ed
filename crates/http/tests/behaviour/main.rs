//! What the client does with servers of every kind, over loopback.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod hostile;
mod requests;
mod support;
