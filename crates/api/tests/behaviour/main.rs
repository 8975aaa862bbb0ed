//! What the client does with answers of every kind, and what the receiver believes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod requests;
mod support;
mod webhooks;
