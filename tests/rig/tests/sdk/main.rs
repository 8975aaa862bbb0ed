//! The SDK as applications use it, against a real server over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "figures beside a failure")]

mod connecting;
mod data;
mod exchange;
mod letting_go;
mod old_server;
mod paths;
mod reconnecting;
mod room;
mod rpc;
mod state;
mod streams;
mod subscribing;
