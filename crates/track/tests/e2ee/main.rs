//! End-to-end encryption: what official clients have sealed, what is refused, and what never repeats.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chains;
mod golden;
mod hostile;
mod pipelines;
mod refusals;
mod rings;
mod vectors;
mod vocabulary;
