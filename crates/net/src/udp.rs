//! UDP: one socket per worker and address, batches in and out.

mod port;
mod receiver;
mod sender;

pub(crate) use port::{UdpPort, bind_all};
pub(crate) use receiver::Receiver;
pub(crate) use sender::Sender;
