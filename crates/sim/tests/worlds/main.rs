//! Whole servers with their clients in virtual time.

mod announce;
mod basics;
mod blobs;
mod chance;
mod engine;
mod estimator;
mod figures;
mod handles;
mod isolation;
mod last_will;
mod latched;
mod links;
mod overload;
mod packets;
mod publishing;
mod recover;
mod shared_state;
mod subscribing;
mod support;
mod traffic;
mod view;
mod workers;
