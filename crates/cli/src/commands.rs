//! One module per verb.

pub(crate) mod attr;
pub(crate) mod bench;
pub(crate) mod check_config;
pub(crate) mod completions;
pub(crate) mod data;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod file;
pub(crate) mod man;
pub(crate) mod participant;
pub(crate) mod room;
pub(crate) mod rpc;
pub(crate) mod serve;
pub(crate) mod text;
pub(crate) mod token;
pub(crate) mod track;
