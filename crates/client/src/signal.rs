//! The signal connection (protocol §1).

mod dial;
mod socket;

pub(crate) use socket::{SignalEvent, SignalReceiver, SignalSender, SignalSocket};
pub(crate) use trackyard_http::tls::client_config;
