//! Whole servers with their clients in virtual time.

mod announce;
mod basics;
mod chance;
mod engine;
mod figures;
mod handles;
mod isolation;
mod links;
mod publishing;
mod recover;
mod subscribing;
mod support;
mod traffic;
mod view;
