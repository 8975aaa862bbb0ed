//! `trackyard track`, with a real server between.

mod echo;
mod encryption;
mod ending;
mod finding;
mod list;
mod measuring;
mod refusals;
pub(crate) mod site;
mod tls;
