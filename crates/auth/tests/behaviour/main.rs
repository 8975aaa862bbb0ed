//! How tokens behave on hostile input.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod hostile;
