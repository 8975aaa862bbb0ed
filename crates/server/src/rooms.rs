//! The rooms of this node: one task each, found by name, fed through bounded mailboxes.

mod admin;
mod defaults;
mod describe;
mod driver;
mod events;
mod link;
mod log;
mod message;
mod registry;
mod sink;

pub(crate) use admin::Unmet;
pub(crate) use defaults::RoomDefaults;
pub(crate) use describe::RoomDescription;
pub(crate) use events::EventRouter;
pub(crate) use link::SignalLink;
pub(crate) use registry::{Arrival, Entered, Rooms, Wiring};
pub(crate) use sink::{SignalItem, SignalSource};
