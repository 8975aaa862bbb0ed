//! The control plane: one room's members, permissions, data tracks, subscriptions and state.

pub mod admission;
mod config;
mod counters;
mod io;
pub mod rules;

pub use config::{NodeInfo, RoomConfig, RoomLimits};
pub use counters::RoomCounters;
pub use io::{Admin, ConnectionId, Input, Join, Output, Resume};
pub use rules::{TrackRule, TrackRules};
