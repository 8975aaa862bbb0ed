//! Client of Trackyard and LiveKit servers: realtime data tracks in pure Rust.
//!
//! It never forwards between participants, and never logs on the way of a frame.

mod paths;
