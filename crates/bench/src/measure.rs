//! What became of every frame, and how long each took.
//!
//! A [`SendMeter`] for each publisher and a [`SubscriberMeter`] for each subscriber keep a bit per frame,
//! and [`Outcome::tally`] compares them when all is over. At that moment, for each subscriber:
//! due = sent + refused + unsent, sent = received + missing, and what arrived = received + unexpected +
//! duplicates + corrupt + warm-up + strays.

mod fairness;
mod interval;
mod latency;
mod outcome;
mod seen;
mod sender;
mod subscriber;

pub use fairness::Fairness;
pub use interval::{Interval, IntervalMeter, SERIES_MAX, Series};
pub use latency::{LATENCY_MAX, Latency};
pub use outcome::{Delivery, Outcome, Sending, SubscriberOutcome};
pub use sender::SendMeter;
pub use subscriber::{Arrival, Strays, SubscriberMeter};

#[cfg(test)]
mod tests;
