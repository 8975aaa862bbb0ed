//! Stages: faults that come at the same time, and what bystanders may see of them.

use anyhow::Context;
use tokio::task::JoinSet;
use trackyard_bench::soak::{BystanderReport, Fault, StageReport};

use super::bystanders::{FRAMES_HZ, PACKETS_HZ};
use super::faults::{self, Ground};

/// One frame in so many may be lost: they are sent once, and a busy machine's sockets overflow.
const FRAMES_PER_LOSS: u64 = 1_000;
/// What a dead worker costs those it served: until they notice, and until they are back.
const WORKER_S: u64 = 10;
/// What a server that stands still costs, and what it catches up with.
const CLOCK_S: u64 = 4;

/// Of what is due in the time, so much is sent: a publisher that is held up loses nothing, and sends nothing. A machine
/// that has far too much to do holds it up a little.
const SENT_MIN: f64 = 0.75;
/// What may be missing beside that, at the edges of the time.
const SENT_EDGE: f64 = 2.0;

/// What bystanders may lose, and whether they may be interrupted.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    frames: u64,
    packets: u64,
    is_interrupted: bool,
    /// Whether the publisher may be held up.
    is_held_up: bool,
}

impl Allowance {
    fn of(faults: &[Fault], sent: u64) -> Self {
        let chance = sent.div_ceil(FRAMES_PER_LOSS);
        let has = |fault| faults.contains(&fault);
        if has(Fault::Workers) {
            return Self {
                frames: WORKER_S * FRAMES_HZ,
                packets: WORKER_S * PACKETS_HZ,
                is_interrupted: true,
                is_held_up: true,
            };
        }
        let frames = if has(Fault::Clock) { CLOCK_S * FRAMES_HZ } else { chance };
        Self { frames, packets: 0, is_interrupted: false, is_held_up: has(Fault::Clock) }
    }
}

/// Brings these faults together, and says what came of them.
///
/// # Errors
/// When one of our own tasks has panicked.
pub(super) async fn play(ground: &Ground, faults: &[Fault]) -> anyhow::Result<StageReport> {
    let mark = ground.bystanders.mark();
    let mut running = JoinSet::new();
    for fault in faults {
        let (fault, ground) = (*fault, ground.clone());
        running.spawn(async move { (fault, faults::run(fault, ground).await) });
    }
    let mut report = StageReport { faults: faults.to_vec(), ..StageReport::default() };
    while let Some(done) = running.join_next().await {
        let (fault, mut findings) = done.context("a fault has panicked")?;
        findings.facts.sort_by(|a, b| a.name.cmp(&b.name));
        report.facts.extend(findings.facts);
        report.broken.extend(findings.broken.into_iter().map(|broken| format!("{fault}: {broken}")));
    }
    report.bystanders = ground.bystanders.seen_since(&mark).await;
    report.broken.extend(broken(faults, &report.bystanders));
    Ok(report)
}

/// What bystanders have seen that they should not have.
pub(super) fn broken(faults: &[Fault], bystanders: &[BystanderReport]) -> Vec<String> {
    let names: Vec<_> = faults.iter().map(|fault| fault.name()).collect();
    let names = if names.is_empty() { "joins".to_owned() } else { names.join(" + ") };
    let mut broken = Vec::new();
    for (number, seen) in bystanders.iter().enumerate() {
        let allowed = Allowance::of(faults, seen.frames_sent);
        let mut check = |is_more: bool, what: String| {
            if is_more {
                broken.push(format!("{names}: bystander {number}: {what}"));
            }
        };
        for (what, sent, hertz) in
            [("frames", seen.frames_sent, FRAMES_HZ), ("packets", seen.packets_sent, PACKETS_HZ)]
        {
            let due = seen.watched_s * hertz as f64;
            let is_held_up = sent as f64 + SENT_EDGE < SENT_MIN * due && !allowed.is_held_up;
            check(is_held_up, format!("{sent} {what} are sent of {due:.0} that were due"));
        }
        let (lost, sent) = (seen.frames_lost, seen.frames_sent);
        check(lost > allowed.frames, format!("{lost} of {sent} frames are lost, {} may be", allowed.frames));
        let (lost, sent) = (seen.packets_lost, seen.packets_sent);
        check(lost > allowed.packets, format!("{lost} of {sent} reliable packets are lost"));
        check(seen.packets_repeated > 0, format!("{} reliable packets came twice", seen.packets_repeated));
        let is_interrupted = seen.interruptions > 0 && !allowed.is_interrupted;
        check(is_interrupted, format!("{} interruptions", seen.interruptions));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bystanders_may_lose_what_a_fault_concerns_and_nothing_else() {
        let seen = |frames_lost, packets_lost, interruptions| BystanderReport {
            watched_s: 15.0,
            frames_sent: 1_500,
            packets_sent: 150,
            frames_lost,
            packets_lost,
            interruptions,
            ..BystanderReport::default()
        };
        let check = |faults: &[Fault], seen: BystanderReport, count: usize| {
            let broken = broken(faults, &[seen]);
            assert_eq!(broken.len(), count, "{faults:?}: {broken:?}");
        };
        check(&[Fault::Garbage], seen(2, 0, 0), 0);
        check(&[Fault::Garbage, Fault::Slow], seen(3, 1, 1), 3);
        check(&[], seen(3, 0, 0), 1);
        check(&[Fault::Clock], seen(400, 0, 0), 0);
        check(&[Fault::Clock], seen(401, 1, 1), 3);
        check(&[Fault::Workers], seen(1_000, 100, 3), 0);
        check(&[Fault::Workers], seen(1_001, 101, 3), 2);
        check(&[Fault::Workers], BystanderReport { packets_repeated: 1, ..seen(0, 0, 0) }, 1);
    }

    #[test]
    fn a_publisher_that_is_held_up_has_not_held() {
        let sent = |frames_sent, packets_sent| BystanderReport {
            watched_s: 10.0,
            frames_sent,
            packets_sent,
            ..BystanderReport::default()
        };
        for (fault, frames, packets, expected) in [
            (Fault::Slow, 1_000, 100, 0),
            (Fault::Slow, 748, 73, 0),
            (Fault::Slow, 747, 100, 1),
            (Fault::Slow, 0, 0, 2),
            (Fault::Slow, 1_000, 72, 1),
            (Fault::Workers, 0, 0, 0),
            (Fault::Clock, 700, 70, 0),
        ] {
            let broken = broken(&[fault], &[sent(frames, packets)]);
            assert_eq!(broken.len(), expected, "{fault}, {frames}, {packets}: {broken:?}");
        }
    }
}
