//! The robot's motors, here simulated: a velocity that is kept until another one is set.

use std::time::Duration;

use tokio::sync::watch;

use crate::messages::{Telemetry, Velocity};

/// What the robot can do, whatever is commanded.
const LINEAR_MAX: f64 = 1.0;
const ANGULAR_MAX: f64 = 2.0;

/// Sets the velocity. They stand still when this is dropped, however that comes about.
pub(crate) struct Motors(watch::Sender<Velocity>);

impl Motors {
    pub(crate) fn new() -> (Self, watch::Receiver<Velocity>) {
        let (sender, velocity) = watch::channel(Velocity::ZERO);
        (Self(sender), velocity)
    }

    pub(crate) fn drive(&self, wanted: Velocity) {
        let linear = wanted.linear.clamp(-LINEAR_MAX, LINEAR_MAX);
        let angular = wanted.angular.clamp(-ANGULAR_MAX, ANGULAR_MAX);
        self.0.send_replace(Velocity { linear, angular });
    }

    pub(crate) fn stop(&self) {
        self.drive(Velocity::ZERO);
    }
}

impl Drop for Motors {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the robot is after moving at this velocity for so long.
pub(crate) fn moved(from: Telemetry, velocity: Velocity, time: Duration) -> Telemetry {
    let heading = from.heading + velocity.angular * time.as_secs_f64();
    let way = velocity.linear * time.as_secs_f64();
    Telemetry {
        x: from.x + way * heading.cos(),
        y: from.y + way * heading.sin(),
        heading,
        speed: velocity.linear,
    }
}
