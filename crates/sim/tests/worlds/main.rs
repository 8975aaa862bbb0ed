//! Whole servers with their clients in virtual time.

mod basics;
mod support;
