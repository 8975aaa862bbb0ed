//! Whatever happens in whatever order: every frame is accounted for, and the server that was told
//! everything knows what is published.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Debug, Clone, Copy)]
enum Step {
    Publish(usize),
    Unpublish(usize),
    Push(usize, usize),
    /// The channel holds so much and takes what there is room for.
    Flush(usize),
    WriteOne,
    Pass(u64),
    /// The server answers, or does not.
    Answer(Answer),
    TakeAway(usize),
    Pause,
    Resume,
    Restart,
    SetOpen(bool),
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Yes,
    No(Reason),
    Lost,
}

fn step() -> impl Strategy<Value = Step> {
    let reasons = [Reason::NotAllowed, Reason::DuplicateName, Reason::DuplicateHandle];
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Publish),
        1 => (0..4_usize).prop_map(Step::Unpublish),
        12 => (0..4_usize, prop_oneof![Just(9_usize), Just(40_000), Just(2_100_000)])
            .prop_map(|(track, bytes)| Step::Push(track, bytes)),
        3 => prop_oneof![Just(0_usize), Just(1 << 30)].prop_map(Step::Flush),
        4 => Just(Step::WriteOne),
        3 => prop_oneof![1..150_u64, 1_000..12_000_u64].prop_map(Step::Pass),
        6 => Just(Step::Answer(Answer::Yes)),
        1 => proptest::sample::select(reasons.to_vec()).prop_map(|reason| Step::Answer(Answer::No(reason))),
        1 => Just(Step::Answer(Answer::Lost)),
        1 => (0..4_usize).prop_map(Step::TakeAway),
        1 => Just(Step::Pause),
        1 => Just(Step::Resume),
        1 => Just(Step::Restart),
        1 => any::<bool>().prop_map(Step::SetOpen),
    ]
}

/// A client, its server, and what the test has counted by itself.
struct Model {
    run: Run,
    /// Tracks that the client has and those it had, by name.
    ids: BTreeMap<usize, LocalTrackId>,
    pushed: BTreeMap<LocalTrackId, u64>,
    refused: BTreeMap<LocalTrackId, u64>,
    /// Requests that the server has heard and not answered.
    heard: VecDeque<Request>,
    /// What the server publishes, by handle.
    server: BTreeMap<u32, Arc<DataTrackInfo>>,
}

impl Model {
    fn new() -> Self {
        Self {
            run: Run::new(),
            ids: BTreeMap::new(),
            pushed: BTreeMap::new(),
            refused: BTreeMap::new(),
            heard: VecDeque::new(),
            server: BTreeMap::new(),
        }
    }

    fn apply(&mut self, step: Step) {
        let now = self.run.now;
        match step {
            Step::Publish(name) => {
                if let Ok(id) = self.run.tracks.publish(PublishOptions::new(NAMES[name]), now) {
                    self.ids.insert(name, id);
                }
            }
            Step::Unpublish(name) => {
                if let Some(stats) = self.ids.get(&name).and_then(|id| self.run.tracks.unpublish(*id)) {
                    drops(&stats);
                    assert_eq!(stats.waiting, 0);
                }
            }
            Step::Push(name, bytes) => self.push(name, bytes),
            Step::Flush(buffered) => drop(self.run.flush(buffered)),
            Step::WriteOne => {
                self.run.tracks.update_buffered(0, now);
                if self.run.tracks.peek(now).is_some() {
                    self.run.tracks.written(now);
                }
            }
            Step::Pass(ms) => self.pass(Duration::from_millis(ms)),
            Step::Answer(answer) => self.answer(answer),
            Step::TakeAway(index) => {
                let handle = self.server.keys().nth(index).copied();
                if let Some(info) = handle.and_then(|handle| self.server.remove(&handle)) {
                    self.run.tracks.unpublished(&info);
                }
            }
            Step::Pause => self.run.tracks.pause(),
            Step::Resume => {
                self.heard.clear();
                self.run.tracks.resume(now);
            }
            Step::Restart => {
                self.heard.clear();
                self.server.clear();
                self.run.tracks.restart(now);
            }
            Step::SetOpen(open) => self.run.tracks.set_open(open, now),
        }
        self.drain();
    }

    fn push(&mut self, name: usize, bytes: usize) {
        let Some(id) = self.ids.get(&name).copied() else { return };
        match self.run.push(id, bytes) {
            Ok(()) => *self.pushed.entry(id).or_default() += 1,
            Err(PushError::Unpublished(_)) => return,
            Err(_) => {
                *self.pushed.entry(id).or_default() += 1;
                *self.refused.entry(id).or_default() += 1;
            }
        }
        let stats = self.run.tracks.stats(id).unwrap();
        assert!(stats.dropped_total() >= self.refused.get(&id).copied().unwrap_or_default());
    }

    fn pass(&mut self, time: Duration) {
        let end = self.run.now + time;
        while let Some(at) = self.run.tracks.poll_timeout().filter(|at| *at <= end) {
            self.run.now = self.run.now.max(at);
            self.run.tracks.handle_timeout(self.run.now);
            self.drain();
            let again = self.run.tracks.poll_timeout().is_some_and(|next| next <= at);
            assert!(!again, "a timer that was handled is due again");
        }
        self.run.now = end;
    }

    fn answer(&mut self, answer: Answer) {
        let now = self.run.now;
        match (self.heard.pop_front(), answer) {
            (Some(Request::PublishDataTrack(request)), answer) => {
                let taken = self.server.contains_key(&request.pub_handle);
                match (taken, answer) {
                    (true, _) => {
                        self.run.tracks.refused(&request.echo, (Reason::DuplicateHandle, ""), now);
                    }
                    (false, Answer::No(reason)) => self.run.tracks.refused(&request.echo, (reason, ""), now),
                    (false, Answer::Yes | Answer::Lost) => {
                        self.run.sids += 1;
                        let info = info(&request, &format!("DTR_{}", self.run.sids));
                        self.server.insert(request.pub_handle, Arc::clone(&info));
                        if matches!(answer, Answer::Yes) {
                            self.run.tracks.published(&info.into(), self.run.now);
                        }
                    }
                }
            }
            (Some(Request::UnpublishDataTrack { pub_handle, echo }), answer) => {
                match (self.server.remove(&pub_handle), answer) {
                    (Some(info), Answer::Yes) => self.run.tracks.unpublished(&info),
                    (None, Answer::Yes) => self.run.tracks.refused(&echo, (Reason::NotFound, ""), now),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn drain(&mut self) {
        loop {
            match self.run.tracks.poll_output() {
                LocalOutput::Request(request) => {
                    assert!(self.run.tracks.is_signalling, "it is said to nobody: {request:?}");
                    self.heard.push_back(request);
                }
                LocalOutput::Event(
                    LocalEvent::Unpublished { stats, track }
                    | LocalEvent::RepublishFailed { stats, track, .. },
                ) => {
                    drops(&stats);
                    assert_eq!(stats.pushed, self.pushed.get(&track).copied().unwrap_or_default());
                }
                LocalOutput::Event(_) => {}
                LocalOutput::Timeout(_) => return,
            }
        }
    }

    fn assert_accounted(&self) {
        for id in self.ids.values() {
            let Some(stats) = self.run.tracks.stats(*id) else { continue };
            drops(&stats);
            assert_eq!(stats.pushed, self.pushed.get(id).copied().unwrap_or_default());
        }
        let tracks = self.run.tracks.tracks.len();
        assert_eq!(tracks, self.run.tracks.names.len());
        assert!(self.run.tracks.timers.len() <= tracks);
    }

    /// The server answers everything: then it publishes what the client believes is published.
    fn settle(&mut self) {
        self.apply(Step::Resume);
        while !self.heard.is_empty() {
            self.apply(Step::Answer(Answer::Yes));
        }
        let mut believed: Vec<String> = self.run.tracks.sync_state().into_iter().flatten().collect();
        let mut published: Vec<String> = self.server.values().map(|info| info.sid.clone()).collect();
        believed.sort_unstable();
        published.sort_unstable();
        // What was asked for, given up and granted without a word is known to the server alone.
        published.retain(|sid| believed.contains(sid));
        assert_eq!(believed, published);
        assert_eq!(
            believed.len(),
            self.run.tracks.tracks.len(),
            "something is neither published nor refused"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn every_frame_is_accounted_for_and_every_track_settles(steps in proptest::collection::vec(step(), 0..80)) {
        let mut model = Model::new();
        for step in steps {
            model.apply(step);
            model.assert_accounted();
        }
        model.settle();
    }
}
