//! What the client does with answers of every kind, and what the receiver believes.

mod requests;
mod support;
mod webhooks;
