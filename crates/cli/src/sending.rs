//! What verbs share that send something to participants.

mod recipients;
mod refusal;

pub(crate) use self::recipients::{Recipients, active, present};
pub(crate) use self::refusal::{data_refused, stream_refused};
