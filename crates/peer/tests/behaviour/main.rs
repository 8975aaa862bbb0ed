//! How a peer behaves towards its client, over real connections in virtual time.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod channels;
mod dual;
mod flow;
mod hostile;
mod link;
mod liveness;
mod messages;
mod offer;
mod paths;
mod single;
mod splice;
mod world;
