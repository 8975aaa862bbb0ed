//! The ways between this machine and the server: sockets, and what they carry.

mod inbound;

pub(crate) use inbound::Inbound;
