//! Data tracks on the client's side (design §2, §5): what is published is cut into packets and
//! scheduled, what is subscribed to is put together again, and every frame is accounted for.
//!
//! It never reads a clock, opens a socket, draws a random number that it was not given, or logs.

mod cipher;
mod frame;

pub use cipher::{CipherError, Decryptor, Encryptor};
pub use frame::Frame;
