//! What the client does with servers of every kind, over loopback.

mod hostile;
mod requests;
mod support;
