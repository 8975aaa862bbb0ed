//! The SDK as applications use it, against a real server over real sockets.

mod exchange;
mod room;
