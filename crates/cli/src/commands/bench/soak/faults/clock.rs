//! The time of day jumps, and the process stands still.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::timeout;
use trackyard::{Room, RoomEvent, RoomEvents, RoomOptions};
use trackyard_relay::{Relay, RelayConfig};

use super::{Findings, Ground};
use crate::commands::bench::soak::process::{self, Word};
use crate::commands::bench::soak::site::{Site, until};

const HOUR_S: i64 = 3_600;
/// How long the process stands still.
const STOP: Duration = Duration::from_secs(3);
/// A clock is off by then.
const JUMPS_WITHIN: Duration = Duration::from_secs(10);
const BACK_WITHIN: Duration = Duration::from_secs(20);
/// How long nothing may happen after a jump: timers that were set before would fire.
const WATCH: Duration = Duration::from_secs(1);
const ROOM: &str = "clock";

/// A session that is to outlive it all, by way of a relay that can cut its signal connection.
struct Witness {
    relay: Relay,
    room: Room,
    events: RoomEvents,
}

pub(super) async fn run(ground: &Ground) -> anyhow::Result<Findings> {
    let (site, mut findings) = (&ground.site, Findings::default());
    let mut witness = Witness::join(site).await?;
    let interruptions = ground.bystanders.interruptions();
    let session = witness.room.local_participant().sid();
    for (offset_s, label) in [(HOUR_S, "later"), (0, "right again"), (-HOUR_S, "earlier"), (0, "right again")]
    {
        set_clock(site, offset_s).await?;
        tokio::time::sleep(WATCH).await;
        let resumed = witness.resumes().await?;
        findings.expect(resumed, || format!("a session is not resumed when the time of day is {label}"));
    }
    stand_still(site).await?;
    ensure!(ground.bystanders.flows(BACK_WITHIN).await?, "nothing flows after the process stood still");
    tokio::time::sleep(WATCH).await;
    let goes_on = witness.room.local_participant().sid() == session;
    findings.expect(goes_on, || "a session has not outlived the jumps".to_owned());
    let interruptions = ground.bystanders.interruptions() - interruptions;
    findings
        .expect(interruptions == 0, || format!("{interruptions} interruptions of bystanders by the clock"));
    findings.tell("jumps", 4.0);
    findings.tell("stood_still_s", STOP.as_secs_f64());
    witness.room.close().await;
    Ok(findings)
}

async fn set_clock(site: &Site, offset_s: i64) -> anyhow::Result<()> {
    site.order(&format!("clock {offset_s}"))?;
    let has_jumped = until(JUMPS_WITHIN, move || site.clock_is_off_by(offset_s)).await?;
    ensure!(has_jumped, "the server's clock is not off by {offset_s} s");
    Ok(())
}

/// The process goes on even if this is dropped meanwhile.
async fn stand_still(site: &Site) -> anyhow::Result<()> {
    struct Resume(u32);
    impl Drop for Resume {
        fn drop(&mut self) {
            // A process that is gone needs no telling.
            let _ = process::tell(self.0, Word::Continue);
        }
    }
    process::tell(site.pid, Word::Stop)?;
    let _resume = Resume(site.pid);
    // The jump itself.
    tokio::time::sleep(STOP).await;
    Ok(())
}

impl Witness {
    async fn join(site: &Site) -> anyhow::Result<Self> {
        let relay =
            Relay::start(RelayConfig::new(site.http)).await.context("no port for links is to be had")?;
        let (room, events) = site.join_at(relay.address(), ("witness", ROOM), RoomOptions::new()).await?;
        Ok(Self { relay, room, events })
    }

    /// Cuts the signal connection, and says whether the server takes the session up again.
    async fn resumes(&mut self) -> anyhow::Result<bool> {
        while self.events.try_recv()?.is_some() {}
        self.relay.cut_signal();
        let told = async {
            loop {
                match self.events.recv().await? {
                    RoomEvent::Reconnected { resumed } => return anyhow::Ok(resumed),
                    RoomEvent::Disconnected(_) => return Ok(false),
                    _ => {}
                }
            }
        };
        timeout(BACK_WITHIN, told).await.context("a signal connection that was cut does not come back")?
    }
}
