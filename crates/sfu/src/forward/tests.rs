//! Workers with connections that pass messages as they are.

mod bench;
mod demultiplexing;
mod isolation;
mod last_will;
mod latched;
mod messages;
mod routing;
