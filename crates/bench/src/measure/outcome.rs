//! The whole account, when all is over.

use std::iter::Sum;
use std::ops::Add;

use super::fairness::Fairness;
use super::latency::Latency;
use super::seen::Seen;
use super::sender::SendMeter;
use super::subscriber::{Strays, SubscriberMeter};
use crate::plan::Plan;

/// What became of the frames of one run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What publishers did.
    pub sending: Sending,
    /// Of all subscribers together.
    pub delivery: Delivery,
    /// Of all subscribers together.
    pub latency: Latency,
    /// Each subscriber, in the order given.
    pub subscribers: Vec<SubscriberOutcome>,
    /// Share of each track's due frames that was received, over all subscribers, by the track's number.
    pub track_shares: Vec<f64>,
    /// Over these.
    pub fairness: Option<Fairness>,
}

/// What publishers did with the frames that were due.
///
/// due = sent + refused + unsent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sending {
    /// By the plan, warm-up aside.
    pub due: u64,
    /// Taken for sending.
    pub sent: u64,
    /// Not taken, because too much was waiting.
    pub refused: u64,
    /// Never tried, because the run ended first.
    pub unsent: u64,
}

/// What became of frames on their way to one subscriber, or to all.
///
/// sent = received + missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivery {
    /// By the plan.
    pub due: u64,
    /// Taken for sending.
    pub sent: u64,
    /// Intact, each counted once.
    pub received: u64,
    /// Bytes of them and of unexpected ones.
    pub received_bytes: u64,
    /// Sent and never received intact.
    pub missing: u64,
    /// Intact, yet their publisher says that it did not send them.
    pub unexpected: u64,
    /// Intact, and not for the first time.
    pub duplicates: u64,
    /// Received after a later one of their track.
    pub out_of_order: u64,
    /// Arrived with bytes changed or missing.
    pub corrupt: u64,
    /// Bytes changed or missing in them.
    pub wrong_bytes: u64,
}

/// What became of the frames for one subscriber.
#[derive(Debug, Clone)]
pub struct SubscriberOutcome {
    /// Of all tracks.
    pub delivery: Delivery,
    /// Of all tracks.
    pub latency: Latency,
    /// What belonged to no frame that counts.
    pub strays: Strays,
}

impl Outcome {
    /// Compares what was sent with what arrived; one meter for each publisher and each subscriber.
    #[must_use]
    pub fn tally(plan: &Plan, senders: &[SendMeter], subscribers: &[SubscriberMeter]) -> Self {
        let nothing = Seen::new(plan.window());
        let mut sent = vec![&nothing; plan.track_count() as usize];
        for (track, seen) in senders.iter().flat_map(SendMeter::tracks) {
            if let Some(slot) = sent.get_mut(track as usize) {
                *slot = seen;
            }
        }
        let due = plan.frames_per_track();
        let outcomes: Vec<_> =
            subscribers.iter().map(|meter| SubscriberOutcome::new(meter, &sent, due)).collect();
        let mut latency = Latency::new();
        subscribers.iter().for_each(|meter| latency.merge(&meter.latency));
        let track_shares = track_shares(subscribers, &sent, due);
        Self {
            sending: Sending::new(due * sent.len() as u64, senders),
            delivery: outcomes.iter().map(|outcome| outcome.delivery).sum(),
            latency,
            subscribers: outcomes,
            fairness: Fairness::of(&track_shares),
            track_shares,
        }
    }
}

impl Sending {
    fn new(due: u64, senders: &[SendMeter]) -> Self {
        let sent = senders.iter().map(SendMeter::sent_count).sum();
        let refused = senders.iter().map(SendMeter::refused_count).sum();
        Self { due, sent, refused, unsent: due.saturating_sub(sent).saturating_sub(refused) }
    }
}

impl SubscriberOutcome {
    fn new(meter: &SubscriberMeter, sent: &[&Seen], due: u64) -> Self {
        let tracks = meter.tracks.iter().zip(sent).map(|(track, sent)| {
            let received = track.seen.in_common(sent);
            Delivery {
                due,
                sent: sent.count(),
                received,
                received_bytes: track.received_bytes,
                missing: sent.count() - received,
                unexpected: track.seen.count() - received,
                duplicates: track.duplicates,
                out_of_order: track.out_of_order,
                corrupt: track.corrupt,
                wrong_bytes: track.wrong_bytes,
            }
        });
        Self { delivery: tracks.sum(), latency: meter.latency.clone(), strays: meter.strays }
    }
}

impl Delivery {
    /// Received of what was due, 0.0..=1.0: what a publisher refused is not delivered either.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.due == 0 { 0.0 } else { self.received as f64 / self.due as f64 }
    }
}

impl Add for Delivery {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            due: self.due + other.due,
            sent: self.sent + other.sent,
            received: self.received + other.received,
            received_bytes: self.received_bytes + other.received_bytes,
            missing: self.missing + other.missing,
            unexpected: self.unexpected + other.unexpected,
            duplicates: self.duplicates + other.duplicates,
            out_of_order: self.out_of_order + other.out_of_order,
            corrupt: self.corrupt + other.corrupt,
            wrong_bytes: self.wrong_bytes + other.wrong_bytes,
        }
    }
}

impl Sum for Delivery {
    fn sum<I: Iterator<Item = Self>>(deliveries: I) -> Self {
        deliveries.fold(Self::default(), Add::add)
    }
}

fn track_shares(subscribers: &[SubscriberMeter], sent: &[&Seen], due: u64) -> Vec<f64> {
    let expected = (due * subscribers.len() as u64).max(1) as f64;
    let received = |(track, sent): (usize, &&Seen)| {
        let meters = subscribers.iter().filter_map(|meter| meter.tracks.get(track));
        meters.map(|meter| meter.seen.in_common(sent)).sum::<u64>() as f64 / expected
    };
    sent.iter().enumerate().map(received).collect()
}
