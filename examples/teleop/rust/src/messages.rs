//! What travels between operator and robot, as JSON.

use serde::{Deserialize, Serialize};
use trackyard::{DataTrackFrame, FrameEncoding};

/// JSON, by its number in the protocol.
pub(crate) const JSON: FrameEncoding = FrameEncoding::JSON;

/// How the robot is to move.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Velocity {
    /// Forward, in metres per second.
    pub(crate) linear: f64,
    /// To the left, in radians per second.
    pub(crate) angular: f64,
}

/// Where the robot is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Telemetry {
    /// Metres from where it started.
    pub(crate) x: f64,
    /// Metres from where it started.
    pub(crate) y: f64,
    /// Radians, against the clock.
    pub(crate) heading: f64,
    /// Metres per second.
    pub(crate) speed: f64,
}

impl Velocity {
    pub(crate) const ZERO: Self = Self { linear: 0.0, angular: 0.0 };
}

/// A frame that says when it was made, so that whoever receives it can tell how old it is.
pub(crate) fn frame(message: &impl Serialize) -> serde_json::Result<DataTrackFrame> {
    Ok(DataTrackFrame::new(serde_json::to_vec(message)?).with_user_timestamp_now())
}
