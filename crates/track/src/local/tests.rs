//! Published tracks beside a server that is played by the test.

mod accounting;
mod frames;
mod last_will;
mod latch;
mod publication;

use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard_proto::signal::{PublishDataTrack, Reason};
use trackyard_proto::{DataTrackInfo, Request};
use trackyard_wire::{Header, Reassembler};

use super::*;
use crate::{CipherError, Frame};

/// One client's tracks, and what they have said and told.
struct Run {
    tracks: LocalTracks,
    now: Instant,
    said: Vec<String>,
    requests: Vec<PublishDataTrack>,
    events: Vec<LocalEvent>,
    sids: u32,
}

impl Run {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        let mut tracks = LocalTracks::new(LocalTracksConfig::default(), now);
        tracks.restart(now);
        tracks.set_open(true, now);
        Self { tracks, now, said: Vec::new(), requests: Vec::new(), events: Vec::new(), sids: 0 }
    }

    fn drain(&mut self) {
        loop {
            match self.tracks.poll_output() {
                LocalOutput::Request(request) => self.note(request),
                LocalOutput::Event(event) => self.events.push(event),
                LocalOutput::Timeout(_) => return,
            }
        }
    }

    fn note(&mut self, request: Request) {
        match request {
            Request::PublishDataTrack(request) => {
                self.said.push(format!("+{}:{}", request.pub_handle, request.name));
                self.requests.push(request);
            }
            Request::UnpublishDataTrack { pub_handle, .. } => self.said.push(format!("-{pub_handle}")),
            other => panic!("unexpected {other:?}"),
        }
    }

    /// What was said since the last time.
    fn said(&mut self) -> String {
        self.drain();
        std::mem::take(&mut self.said).join(" ")
    }

    fn event(&mut self) -> LocalEvent {
        self.drain();
        assert_eq!(self.events.len(), 1, "{:?}", self.events);
        self.events.remove(0)
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.tracks.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tracks.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn publish(&mut self, name: &str) -> LocalTrackId {
        self.tracks.publish(PublishOptions::new(name), self.now).unwrap()
    }

    /// Answers the last request with yes.
    fn accept(&mut self) -> Arc<DataTrackInfo> {
        self.drain();
        self.sids += 1;
        let request = self.requests.last().unwrap();
        let info = info(request, &format!("DTR_{}", self.sids));
        self.tracks.published(&Arc::clone(&info).into(), self.now);
        info
    }

    /// Answers the last request with no.
    fn refuse(&mut self, reason: Reason) {
        self.drain();
        let echo = self.requests.last().unwrap().echo.clone();
        self.tracks.refused(&echo, (reason, "no"), self.now);
    }

    /// A track that is published.
    fn published(&mut self, options: PublishOptions) -> LocalTrackId {
        let track = self.tracks.publish(options, self.now).unwrap();
        self.accept();
        self.drain();
        self.said.clear();
        self.events.clear();
        track
    }

    fn push(&mut self, track: LocalTrackId, bytes: usize) -> Result<(), PushError> {
        let frame = Frame { payload: vec![7; bytes].into(), user_timestamp: None };
        self.tracks.try_push(track, frame, self.now)
    }

    /// Writes what there is room for while the channel holds so much.
    fn flush(&mut self, buffered: usize) -> Vec<Bytes> {
        let mut packets = Vec::new();
        loop {
            self.tracks.update_buffered(buffered, self.now);
            let Some(packet) = self.tracks.peek(self.now) else { return packets };
            packets.push(packet.clone());
            self.tracks.written(self.now);
        }
    }

    /// Writes one packet into an empty channel.
    fn flush_one(&mut self) -> Bytes {
        self.tracks.update_buffered(0, self.now);
        let packet = self.tracks.peek(self.now).expect("a packet waits").clone();
        self.tracks.written(self.now);
        packet
    }

    /// `reason:count` of a track's drops, and whether its account is balanced.
    #[track_caller]
    fn drops(&self, track: LocalTrackId) -> String {
        drops(&self.tracks.stats(track).unwrap())
    }
}

#[track_caller]
fn drops(stats: &LocalTrackStats) -> String {
    assert_eq!(stats.pushed, stats.sent + stats.dropped_total() + stats.waiting, "{stats:?}");
    let counted = |reason: &LocalDropReason| {
        let count = stats.dropped(*reason);
        (count > 0).then(|| format!("{}:{count}", reason.label()))
    };
    LocalDropReason::ALL.iter().filter_map(counted).collect::<Vec<_>>().join(" ")
}

fn info(request: &PublishDataTrack, sid: &str) -> Arc<DataTrackInfo> {
    Arc::new(DataTrackInfo {
        pub_handle: u16::try_from(request.pub_handle).unwrap(),
        sid: sid.to_owned(),
        name: request.name.clone(),
        encryption: request.encryption,
        frame_encoding: request.frame_encoding.clone(),
        schema: request.schema.clone(),
    })
}
