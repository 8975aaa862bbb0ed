//! One module per verb.

pub(crate) mod check_config;
pub(crate) mod dev;
pub(crate) mod serve;
pub(crate) mod token;
