//! The course of a soak, from a server that starts to what is left of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio_util::task::AbortOnDropHandle;
use trackyard_bench::soak::{
    Fact, Fault, Footprint, JoinsReport, MemoryPoint, SOAK_SCHEMA, SoakReport, StageReport, Tolerance,
    ToleranceReport, course,
};

use super::Soak;
use super::bystanders::{BYSTANDERS, Bystanders};
use super::faults::{Ground, workers};
use super::progress::Progress;
use super::site::{Log, Site};
use super::stages;
use super::visits::{AT_ONCE, Visits};
use crate::failure::Failure;

/// What a server needs to reach its level.
const WARM_UP_JOINS: u64 = 200;
/// Of all that are asked for, no more than this part.
const WARM_UP_SHARE: u64 = 5;
/// From so many joins on, faults come once before anything is compared.
const JOINS_WITH_WARM_UP_ROUND: u64 = 2_000;
/// A client that vanished is given up after 20 s.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);
/// The connection by which the server is asked, and what is just being closed.
const DESCRIPTORS: u64 = 2;
const TASKS: u64 = 4;
/// Points of memory that are kept; beyond, every second one is.
const POINTS_MAX: usize = 40;
const POINT_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether the server is there, while clients join.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOKS_PER_LINE: u64 = 10;
/// What the server itself says has gone wrong, and must not.
const NEVER: [&str; 3] =
    ["trackyard_worker_peers_lost_total", "trackyard_commands_lost_total", "trackyard_events_lost_total"];

/// A soak, as far as it has come.
pub(super) struct Run<'s> {
    soak: &'s Soak,
    seed: u64,
    directory: PathBuf,
    began: Instant,
    progress: Progress,
    report: SoakReport,
    points: Arc<Mutex<Vec<MemoryPoint>>>,
}

impl<'s> Run<'s> {
    pub(super) fn new(soak: &'s Soak, seed: u64, directory: PathBuf) -> Self {
        let began = Instant::now();
        let progress = Progress { began, is_shown: soak.shows_progress() };
        let Tolerance { memory_bytes, descriptors, tasks } = tolerance(soak);
        let report = SoakReport {
            schema: SOAK_SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            faults: soak.faults(),
            took_s: 0.0,
            is_cut: false,
            joins: JoinsReport::default(),
            stages: Vec::new(),
            before: Footprint::default(),
            after: Footprint::default(),
            tolerance: ToleranceReport { memory_bytes, descriptors, tasks },
            memory: Vec::new(),
            broken: Vec::new(),
        };
        Self { soak, seed, directory, began, progress, report, points: Arc::default() }
    }

    /// What was found, also if it was cut short, and why.
    pub(super) fn finish(mut self, cut: Option<String>) -> SoakReport {
        self.report.is_cut = cut.is_some();
        self.report.took_s = self.began.elapsed().as_secs_f64();
        self.report.memory = std::mem::take(&mut *self.points.lock().unwrap_or_else(PoisonError::into_inner));
        let stages = self.report.stages.iter();
        let mut broken: Vec<String> = stages.flat_map(|stage| stage.broken.clone()).collect();
        broken.append(&mut self.report.broken);
        broken.extend(cut.map(|why| format!("cut short: {why}")));
        self.report.broken = broken;
        self.report
    }

    /// Does everything.
    ///
    /// # Errors
    /// When the server is not to be had, or a soak cannot be carried out at all.
    pub(super) async fn all(&mut self) -> Result<(), Failure> {
        Ok(self.course().await?)
    }

    async fn course(&mut self) -> anyhow::Result<()> {
        let log = Log::File(self.directory.join("server.log"));
        let site = Arc::new(Site::start(&self.directory, &log, self.soak.workers).await?);
        let bystanders = Arc::new(Bystanders::join(&site).await?);
        let ground = Ground {
            site,
            bystanders,
            directory: self.directory.clone(),
            flaps: self.soak.flaps.clone(),
            seed: self.seed,
        };
        self.warm_up(&ground).await?;
        let asked = if self.has(Fault::Joins) { self.soak.joins } else { 0 };
        let mut visits = Visits::begin(&ground.site, asked, "visitor");
        let points = self.watch_memory(&ground.site, &visits);
        let mut round = 0;
        loop {
            round += 1;
            self.round(&ground, round, Some(&visits)).await?;
            if visits.is_over() || self.report.faults == [Fault::Joins] {
                break;
            }
        }
        if asked > 0 {
            self.rest(&ground, round, &mut visits).await?;
        }
        drop(points);
        self.joined(&visits);
        self.settle(&ground).await
    }

    /// Until memory has reached its level.
    async fn warm_up(&mut self, ground: &Ground) -> anyhow::Result<()> {
        let joins = WARM_UP_JOINS.min(self.soak.joins.div_ceil(WARM_UP_SHARE));
        self.progress.tell(&format!("seed {}: {joins} joins to warm up", self.seed));
        let mut visits = Visits::begin(&ground.site, joins, "early");
        self.all_joined(&ground.site, &mut visits).await?;
        let warm_up = visits.report();
        ensure!(warm_up.done > 0, "nobody gets in: {}", visits.why().unwrap_or_default());
        // No fault has come yet.
        self.report.broken.extend(refusals("warm-up", &visits, 0));
        if self.soak.joins >= JOINS_WITH_WARM_UP_ROUND {
            self.round(ground, 0, None).await?;
        }
        let idle = (BYSTANDERS, SETTLES_WITHIN);
        self.report.before = ground.site.settled(idle, (None, tolerance(self.soak))).await?;
        Ok(())
    }

    /// Each fault once.
    async fn round(&mut self, ground: &Ground, round: u32, visits: Option<&Visits>) -> anyhow::Result<()> {
        let stages = course(&self.report.faults, self.soak.mixed, (self.seed, round));
        for (number, faults) in (0..).zip(stages) {
            let seed = self.seed.wrapping_add(u64::from(round) << 16).wrapping_add(number);
            let (ground, began) = (Ground { seed, ..ground.clone() }, Instant::now());
            let report = stages::play(&ground, &faults).await?;
            self.record(report, (round, began), visits.map(Visits::report));
            self.check_alive(&ground.site)?;
        }
        Ok(())
    }

    /// Those who have not come yet.
    async fn rest(&mut self, ground: &Ground, round: u32, visits: &mut Visits) -> anyhow::Result<()> {
        let (mark, began, before) = (ground.bystanders.mark(), Instant::now(), visits.report());
        self.all_joined(&ground.site, visits).await?;
        let bystanders = ground.bystanders.seen_since(&mark).await;
        let mut report = StageReport { faults: vec![Fault::Joins], ..StageReport::default() };
        report.broken = stages::broken(&[], &bystanders);
        report.bystanders = bystanders;
        let (now, name) = (visits.report(), "joins".to_owned());
        report.facts.push(Fact { name, value: (now.done - before.done) as f64 });
        self.record(report, (round, began), Some(now));
        self.check_alive(&ground.site)
    }

    /// Waits until all have been, or there is no server any more that they could join.
    async fn all_joined(&self, site: &Site, visits: &mut Visits) -> anyhow::Result<()> {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.tick().await;
        for look in 1_u64.. {
            tokio::select! {
                ended = visits.all() => return ended,
                _ = looks.tick() => self.check_alive(site)?,
            }
            let JoinsReport { done, asked, .. } = visits.report();
            if look.is_multiple_of(LOOKS_PER_LINE) {
                self.progress.tell(&format!("{done} of {asked} joins"));
            }
        }
        Ok(())
    }

    fn record(&mut self, report: StageReport, (round, began): (u32, Instant), joins: Option<JoinsReport>) {
        let report = StageReport {
            round,
            began_s: began.duration_since(self.began).as_secs_f64(),
            took_s: began.elapsed().as_secs_f64(),
            ..report
        };
        let names: Vec<_> = report.faults.iter().map(|fault| fault.name()).collect();
        let facts: Vec<_> = report.facts.iter().map(ToString::to_string).collect();
        let lost: Vec<_> = report.bystanders.iter().map(|seen| seen.frames_lost.to_string()).collect();
        self.report.joins = joins.unwrap_or_default();
        let joins =
            joins.map(|joins| format!("; {} of {} joins", joins.done, joins.asked)).unwrap_or_default();
        let (names, facts, lost) = (names.join(" + "), facts.join(", "), lost.join(" and "));
        self.progress.tell(&format!("round {round}, {names}: {facts}; {lost} frames lost{joins}"));
        report.broken.iter().for_each(|broken| self.progress.tell(&format!("BROKEN {broken}")));
        self.report.stages.push(report);
    }

    fn check_alive(&self, site: &Site) -> anyhow::Result<()> {
        match site.status()? {
            Some(status) => anyhow::bail!("the server has ended: {status}"),
            None => Ok(()),
        }
    }

    fn joined(&mut self, visits: &Visits) {
        self.report.joins = visits.report();
        let rounds = self.report.stages.iter().filter(|stage| stage.round > 0);
        let deaths = rounds.flat_map(|stage| &stage.facts).filter(|fact| fact.name == workers::DEATHS);
        let deaths = deaths.map(|fact| fact.value).sum::<f64>();
        self.report.broken.extend(refusals("joins", visits, deaths as u64));
    }

    /// Waits until everybody has gone, and compares.
    async fn settle(&mut self, ground: &Ground) -> anyhow::Result<()> {
        self.progress.tell("waiting until nothing is left");
        let (before, tolerance) = (self.report.before, tolerance(self.soak));
        let idle = (BYSTANDERS, SETTLES_WITHIN);
        self.report.after = ground.site.settled(idle, (Some(&before), tolerance)).await?;
        let mut grown = self.report.after.growth(&before, &tolerance);
        if self.report.after.participants < BYSTANDERS {
            grown.push(format!("{} of {BYSTANDERS} bystanders are left", self.report.after.participants));
        }
        let metrics = ground.site.metrics().await?;
        // What is on its way to a worker dies with it.
        let never = if self.has(Fault::Workers) { &NEVER[..1] } else { &NEVER[..] };
        for series in never {
            let count = metrics.get(series);
            if count > 0.0 {
                grown.push(format!("the server counts {count} in {series}"));
            }
        }
        self.report.broken.extend(grown.into_iter().map(|grown| format!("in the end {grown}")));
        Ok(())
    }

    fn has(&self, fault: Fault) -> bool {
        self.report.faults.contains(&fault)
    }

    /// Notes the server's memory until what is returned is dropped.
    fn watch_memory(&self, site: &Arc<Site>, visits: &Visits) -> AbortOnDropHandle<()> {
        let (site, points, began) = (Arc::clone(site), Arc::clone(&self.points), self.began);
        let counter = visits.counter();
        AbortOnDropHandle::new(tokio::spawn(async move {
            let mut every = POINT_EVERY;
            loop {
                if let Ok(memory_bytes) = super::process::memory_bytes(site.pid) {
                    let (at_s, joins) = (began.elapsed().as_secs_f64(), counter());
                    let mut points = points.lock().unwrap_or_else(PoisonError::into_inner);
                    points.push(MemoryPoint { at_s, joins, memory_bytes });
                    if points.len() >= POINTS_MAX {
                        let mut is_kept = false;
                        points.retain(|_| {
                            is_kept = !is_kept;
                            is_kept
                        });
                        every *= 2;
                    }
                }
                tokio::time::sleep(every).await;
            }
        }))
    }
}

/// Tries that failed, beyond those that a dying worker takes with it: everybody who is just coming.
fn refusals(when: &str, visits: &Visits, deaths: u64) -> Vec<String> {
    let JoinsReport { failed, repeated, asked, .. } = visits.report();
    let (why, allowed) = (visits.why().unwrap_or_default(), deaths * AT_ONCE as u64);
    let failed = (failed > 0).then(|| format!("{when}: {failed} of {asked} clients never got in: {why}"));
    let repeated = (repeated > allowed)
        .then(|| format!("{when}: {repeated} tries had to be repeated, {allowed} may be: {why}"));
    failed.into_iter().chain(repeated).collect()
}

fn tolerance(soak: &Soak) -> Tolerance {
    Tolerance { memory_bytes: soak.memory_tolerance_bytes(), descriptors: DESCRIPTORS, tasks: TASKS }
}
