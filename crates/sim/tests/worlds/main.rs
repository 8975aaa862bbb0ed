//! Whole servers with their clients in virtual time.

mod basics;
mod figures;
mod links;
mod support;
mod traffic;
