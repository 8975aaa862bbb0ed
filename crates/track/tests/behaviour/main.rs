//! How tracks behave over a path, on random and hostile input, and beside the official client.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod differential;
mod fairness;
mod gaps;
mod hostile;
#[allow(dead_code, reason = "a model that several crates' tests share; none needs all of it")]
#[path = "../../../lanes/tests/behaviour/link.rs"]
mod link;
#[allow(dead_code, reason = "a driver that several crates' tests share; none needs all of it")]
#[path = "../../../wire/tests/behaviour/official.rs"]
mod official;
mod pair;
