//! Frames that can be checked where they arrive, sent at a pace and counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval};
use trackyard_sim::client::{ClientEvent, Pushed, ReceivedFrame};

use crate::live::LiveClient;

/// Number and time of a frame come first in it.
pub const FRAME_BYTES_MIN: usize = 16;

/// Frames to send.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// On which track.
    pub handle: u16,
    /// Size of a frame.
    pub bytes: usize,
    /// Frames per second.
    pub rate_hz: f64,
    /// For how long.
    pub duration: Duration,
}

/// What became of frames at their sender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// On their way.
    pub accepted: u64,
    /// Dropped before they were sent.
    pub dropped: u64,
}

/// What arrived.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Frames as they were sent.
    pub intact: u64,
    /// Frames with other bytes than were sent.
    pub wrong: u64,
    /// Frames older than one that had come before.
    pub disordered: u64,
    /// Frames begun and given up.
    pub broken: u64,
    /// Packets under unknown handles, or that are none.
    pub strange: u64,
    /// Bytes of intact frames.
    pub bytes: u64,
    /// From being pushed to being complete.
    pub ages: Vec<Duration>,
    /// Longest time between two frames.
    pub gap_max: Duration,
    last: Option<(u64, Instant)>,
}

impl Plan {
    /// 100 small frames a second.
    #[must_use]
    pub fn telemetry(handle: u16, duration: Duration) -> Self {
        Self { handle, bytes: 200, rate_hz: 100.0, duration }
    }

    /// Frames in all.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "both are small and positive"
    )]
    pub fn frames(&self) -> u64 {
        (self.rate_hz * self.duration.as_secs_f64()).round() as u64
    }
}

/// Sends frames at a steady pace; one that is due is pushed whatever became of those before.
///
/// # Errors
/// When the client has ended.
pub async fn send(client: &LiveClient, plan: Plan) -> Result<Sent> {
    let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let mut due = interval(Duration::from_secs_f64(1.0 / plan.rate_hz));
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..plan.frames() {
        due.tick().await;
        push(client, (plan.handle, number, plan.bytes), Arc::clone(&counts))?;
    }
    // The client obeys in order: once this is answered, all frames before it are counted.
    let (done, all) = tokio::sync::oneshot::channel();
    client.act(move |_, _| {
        let _ = done.send(());
    })?;
    all.await?;
    let [accepted, dropped] = [0, 1].map(|at: usize| counts[at].load(Ordering::Relaxed));
    Ok(Sent { accepted, dropped })
}

fn push(client: &LiveClient, frame: (u16, u64, usize), counts: Arc<[AtomicU64; 2]>) -> Result<()> {
    let (handle, number, bytes) = frame;
    let due = Instant::now();
    client.act(move |client, now| {
        let pushed = client.push(handle, &payload(number, due, bytes), now);
        counts[usize::from(pushed != Pushed::Accepted)].fetch_add(1, Ordering::Relaxed);
    })
}

/// Takes what arrives of a track until `end`.
///
/// # Errors
/// When the client has ended.
pub async fn collect(client: &mut LiveClient, sid: &str, end: Instant) -> Result<Tally> {
    let mut tally = Tally::default();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let Ok(event) = tokio::time::timeout(left, client.event(Duration::MAX)).await else {
            return Ok(tally);
        };
        tally.note(sid, &event?.1);
    }
}

impl Tally {
    /// Counts an event, if it is one of this track.
    pub fn note(&mut self, sid: &str, event: &ClientEvent) {
        match event {
            ClientEvent::Frame(frame) if frame.sid == sid => self.frame(frame),
            ClientEvent::Broken { sid: broken } if broken == sid => self.broken += 1,
            ClientEvent::UnknownHandle(_) | ClientEvent::Malformed => self.strange += 1,
            _ => {}
        }
    }

    fn frame(&mut self, frame: &ReceivedFrame) {
        let Some((number, pushed)) = check(&frame.payload) else {
            self.wrong += 1;
            return;
        };
        if let Some((last, at)) = self.last {
            self.disordered += u64::from(number <= last);
            self.gap_max = self.gap_max.max(frame.arrived - at);
        }
        self.last = Some((number, frame.arrived));
        self.intact += 1;
        self.bytes += frame.payload.len() as u64;
        self.ages.push(frame.arrived.saturating_duration_since(pushed));
    }

    /// An age that so many of a thousand do not exceed.
    #[must_use]
    pub fn age_permille(&self, permille: usize) -> Duration {
        let mut ages = self.ages.clone();
        ages.sort_unstable();
        let at = (ages.len() * permille / 1_000).min(ages.len().saturating_sub(1));
        ages.get(at).copied().unwrap_or(Duration::MAX)
    }

    /// Nothing but what was sent, in the order it was sent, and nothing begun in vain.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.wrong == 0 && self.disordered == 0 && self.strange == 0
    }
}

/// Frame number `number`, due at `due`.
#[must_use]
pub fn payload(number: u64, due: Instant, bytes: usize) -> Vec<u8> {
    let nanos = u64::try_from(due.saturating_duration_since(epoch()).as_nanos()).unwrap_or(u64::MAX);
    let mut payload = Vec::with_capacity(bytes.max(FRAME_BYTES_MIN));
    payload.extend_from_slice(&number.to_be_bytes());
    payload.extend_from_slice(&nanos.to_be_bytes());
    payload.extend((FRAME_BYTES_MIN..bytes).map(|at| filler(number, at)));
    payload
}

/// Number and time of a frame, if every byte is as it was sent.
fn check(payload: &[u8]) -> Option<(u64, Instant)> {
    let (number, rest) = payload.split_first_chunk()?;
    let (nanos, filled) = rest.split_first_chunk()?;
    let (number, nanos) = (u64::from_be_bytes(*number), u64::from_be_bytes(*nanos));
    let mut filled = filled.iter().zip(FRAME_BYTES_MIN..);
    filled
        .all(|(byte, at)| *byte == filler(number, at))
        .then(|| (number, epoch() + Duration::from_nanos(nanos)))
}

/// Depends on the frame and the place, so that pieces of other frames or other places are noticed.
fn filler(number: u64, at: usize) -> u8 {
    let mixed = number.wrapping_mul(131).wrapping_add(at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as u8
}

/// Times in frames count from here.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_byte_is_noticed_anywhere() {
        let payload = payload(7, Instant::now(), 500);
        assert_eq!(check(&payload).unwrap().0, 7);
        for at in [0, 7, FRAME_BYTES_MIN, 250, 499] {
            let mut changed = payload.clone();
            changed[at] ^= 1;
            assert!(check(&changed).is_none(), "{at}");
        }
    }
}
