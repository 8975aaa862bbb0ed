//! Workers on loopback, with real WebRTC clients.

mod client;
mod exchange;
mod hostile;
mod lifecycle;
mod site;
