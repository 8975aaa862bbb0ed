//! Memory of a server that has just started, and what each participant adds.

use std::time::Duration;

use anyhow::Context;
use trackyard::Room;
use trackyard_bench::suite::{Metric, Part};

use super::meter::{Figures, Meter, cpu_ms, growth_kib};
use super::subject::Subject;
use crate::connection::Role;
use crate::failure::Failure;

/// Resident memory when nothing has happened yet.
///
/// # Errors
/// When the process is not known.
pub(super) async fn idle(subject: &Subject, settle: Duration) -> Result<Part, Failure> {
    let mut figures = Figures::default();
    let mut meter = Meter::start(subject.watch()?);
    tokio::time::sleep(settle).await;
    let used = meter.lap().context("the server's process is not known: give pid= or run=")?;
    figures.add(Metric::IdleRssMib, used.rss_bytes as f64 / f64::from(1 << 20));
    Ok(figures.part())
}

/// So many join one after another, and stay, beside one that was there before.
///
/// # Errors
/// When one of them does not get in.
pub(super) async fn participants(
    subject: &Subject,
    (count, is_dual): (u32, bool),
    settle: Duration,
) -> Result<Part, Failure> {
    let entrance = subject.entrance().with_dual(is_dual);
    // The first one brings into memory what the server needs for any.
    let (first, _events) = entrance.join(Role::Publisher, "-first").await?;
    let mut rooms: Vec<Room> = vec![first];
    tokio::time::sleep(settle).await;
    let mut figures = Figures::default();
    let (mut joining, whole) = (Meter::start(subject.watch()?), Meter::start(subject.watch()?));
    for number in 0..count {
        let (room, _events) = entrance.join(Role::Publisher, &format!("-{number}")).await?;
        rooms.push(room);
    }
    figures.add(Metric::CpuMsPerJoin, cpu_ms(joining.lap(), count));
    tokio::time::sleep(settle).await;
    figures.add(Metric::IdleCores, joining.lap().map(|used| used.cores));
    figures.add(Metric::RssPerParticipantKib, growth_kib(whole.used(), count));
    leave(rooms).await;
    Ok(figures.part())
}

/// All leave, at once.
pub(super) async fn leave(rooms: Vec<Room>) {
    let mut leaving = tokio::task::JoinSet::new();
    for room in rooms {
        leaving.spawn(async move { room.close().await });
    }
    leaving.join_all().await;
}
