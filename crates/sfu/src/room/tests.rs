//! Behaviour of rooms, each through one script of clients, workers and a directory in virtual time.

mod admin;
mod announce;
mod blobs;
mod chance;
mod flows;
mod harness;
mod join;
mod last_will;
mod latched;
mod leave;
mod meters;
mod negotiate;
mod notice;
mod publish;
mod resume;
mod state;
mod subscribe;
mod view;
mod worker;
