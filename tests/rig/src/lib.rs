//! Raw clients over real sockets, with emulated links in their sockets, against a server that runs
//! in this process or beside it. For tests and figures only.
//!
//! It never talks to anything but loopback, and everything in it ends by itself: each wait has a
//! deadline, and each server is stopped with its owner.

mod crowd;
mod descriptors;
pub mod flow;
pub mod http;
mod live;
mod many;
mod metrics;
mod process;
mod program;
mod rooms;
mod session;
mod signal_socket;
mod site;

pub use crowd::{Crowd, CrowdTimes};
pub use descriptors::raise_descriptors;
pub use live::{Links, LiveClient, LiveConfig, Path};
pub use many::{Arrival, track_name};
pub use metrics::Metrics;
pub use process::{Process, ServerProcess};
pub use program::{Line, Program};
pub use rooms::{end_rooms, make_rooms, room_name};
pub use signal_socket::{SignalEnd, SignalSocket};
pub use site::{Site, token, token_with};
