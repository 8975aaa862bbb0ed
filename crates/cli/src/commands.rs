//! One module per verb.

pub(crate) mod bench;
pub(crate) mod check_config;
pub(crate) mod completions;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod man;
pub(crate) mod participant;
pub(crate) mod room;
pub(crate) mod serve;
pub(crate) mod token;
pub(crate) mod track;
