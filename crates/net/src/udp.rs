//! UDP: one socket per worker and address, batches in and out.

mod filter;
mod port;
mod receiver;
mod sender;

pub(crate) use filter::attach;
pub(crate) use port::{UdpPort, bind_all};
pub(crate) use receiver::Receiver;
pub(crate) use sender::Sender;
