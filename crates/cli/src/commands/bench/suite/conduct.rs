//! Turn by turn: what is measured next, and what is kept of it.

use std::time::Duration;

use trackyard_bench::suite::{Document, Mark, Part, Run, Scenario, Turn, Work, turns};

use super::flow::Ground;
use super::subject::Subject;
use super::{flow, joining, memory, tracks};
use crate::Outcome;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// Between two turns, so that what the one has left behind is not the other's.
const PAUSE: Duration = Duration::from_millis(200);

/// Carries out all turns.
pub(super) struct Conductor<'s> {
    pub(super) scenarios: &'s [Scenario],
    pub(super) runs: u32,
    /// For what a server does behind what it answers, and for collectors of garbage, before memory is read.
    pub(super) settle: Duration,
}

impl Conductor<'_> {
    /// Measures everything, as far as servers allow. What is measured is in the document even if it fails.
    ///
    /// # Errors
    /// When it is interrupted, or a server is gone for good.
    pub(super) async fn conduct(
        &self,
        subjects: &mut [Subject],
        (document, interrupt): (&mut Document, &mut Interrupt),
    ) -> Outcome {
        let count = self.scenarios.len() * self.runs as usize * subjects.len();
        for (number, turn) in turns(self.scenarios.len(), self.runs, subjects.len()).enumerate() {
            let (scenario, subject) = (&self.scenarios[turn.scenario], &mut subjects[turn.server]);
            let place = format!("[{}/{count}] {} of {}", number + 1, scenario.name, subject.spec.name);
            say!("{place}, run {} of {}", turn.run + 1, self.runs);
            let ground = (document.floor.as_ref(), document.machine.cores);
            let run = self.take((turn, scenario), subject, (ground, interrupt)).await?;
            if let Some(reason) = &run.unfinished {
                say!("{place}: not finished: {reason}");
            }
            document.runs.push(run);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// One turn. What the server does not do is part of what is measured.
    async fn take(
        &self,
        (turn, scenario): (Turn, &Scenario),
        subject: &mut Subject,
        (ground, interrupt): (Ground<'_>, &mut Interrupt),
    ) -> Result<Run, Failure> {
        if scenario.needs_fresh_server() || subject.has_ended() {
            if subject.has_ended() && !subject.is_startable() {
                return Err(subject.gone());
            }
            interrupt.during(subject.renew()).await?;
        }
        let measured = self.measure(subject, scenario, (ground, interrupt));
        let measured = match tokio::time::timeout(scenario.time_max(), measured).await {
            Ok(Err(Failure::Interrupted)) => return Err(Failure::Interrupted),
            Ok(Err(failure)) => Err(failure.text()),
            Ok(Ok(measured)) => Ok(measured),
            Err(_) => Err(format!("not done after {:?}", scenario.time_max())),
        };
        let (mut parts, mut marks, mut unfinished) = (Vec::new(), Vec::new(), None);
        match measured {
            Ok(_) if subject.has_ended() => {
                unfinished = Some("the server's process has ended while it was measured".to_owned());
            }
            Ok(measured) => (parts, marks) = measured,
            Err(reason) if subject.has_ended() => {
                unfinished = Some(format!("the server's process has ended ({reason})"));
            }
            Err(reason) => unfinished = Some(reason),
        }
        if scenario.needs_fresh_server() && !subject.is_startable() {
            marks.push(Mark::Used);
        }
        Ok(Run {
            scenario: scenario.name.clone(),
            title: scenario.title.clone(),
            group: scenario.group,
            server: turn.server,
            number: turn.run,
            rate_hz: scenario.rate_hz(),
            parts,
            marks,
            unfinished,
        })
    }

    async fn measure(
        &self,
        subject: &Subject,
        scenario: &Scenario,
        (ground, interrupt): (Ground<'_>, &mut Interrupt),
    ) -> Result<(Vec<Part>, Vec<Mark>), Failure> {
        let settle = self.settle;
        let part = match &scenario.work {
            Work::Flow(flow) => return flow::measure(subject, (scenario, flow), (ground, interrupt)).await,
            Work::Idle => interrupt.during(memory::idle(subject, settle)).await,
            Work::Participants { count, is_dual } => {
                interrupt.during(memory::participants(subject, (*count, *is_dual), settle)).await
            }
            Work::Publish { tracks } => interrupt.during(tracks::publish(subject, *tracks, settle)).await,
            Work::Subscribe { tracks } => interrupt.during(tracks::subscribe(subject, *tracks)).await,
            Work::Crowd { count } => interrupt.during(joining::crowd(subject, *count)).await,
            Work::FirstFrame { count } => interrupt.during(joining::first_frame(subject, *count)).await,
        };
        Ok((vec![part?], Vec::new()))
    }
}
