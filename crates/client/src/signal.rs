//! The signal connection (protocol §1).

mod dial;
mod socket;
mod tls;

pub(crate) use socket::{SignalEvent, SignalReceiver, SignalSender, SignalSocket};
pub(crate) use tls::client_config;
