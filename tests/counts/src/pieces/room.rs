//! What a track costs a room.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Result, ensure};
use trackyard_auth::{Claims, Verified, VideoGrant};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::{Echo, PublishDataTrack, SignalTarget, Trickle};
use trackyard_proto::{Encryption, Request};
use trackyard_sfu::control::{Command, Event, Now, PeerId, RoomKey, WorkerId};
use trackyard_sfu::directory::Memory;
use trackyard_sfu::room::{ConnectionId, Input, Join, Output, Room, RoomConfig};

use super::beginning;
use crate::meter::Meter;

/// Tracks that there are before.
const TRACKS: u32 = 1_000;
/// Tracks more, of which the cost of each is counted.
const MORE: u32 = 100;
const PUBLISHER: u64 = 1;
const WATCHER: u64 = 2;
/// Between two publications.
const INTERVAL: Duration = Duration::from_millis(1);

/// A room with one who publishes and one who watches, whose worker and directory answer at once.
struct Rig {
    room: Room,
    directory: Memory,
    now: Now,
    /// Messages to either.
    messages: usize,
    refused: usize,
}

impl Rig {
    fn new() -> Self {
        let now = Now { instant: beginning(), unix_ms: 1_700_000_000_000 };
        let config = RoomConfig { name: "lab".into(), ..RoomConfig::default() };
        let room = Room::new(RoomKey(5), config, 7, now);
        let mut rig = Self { room, directory: Memory::default(), now, messages: 0, refused: 0 };
        rig.join(PUBLISHER);
        rig.join(WATCHER);
        rig
    }

    fn join(&mut self, number: u64) {
        let claims = Claims {
            identity: format!("participant-{number}"),
            video: Some(VideoGrant::join("lab")),
            ..Claims::default()
        };
        let verified = Verified { api_key: "key".into(), claims, expires_at_unix_s: 1_700_003_600 };
        let mut request = JoinRequest::default();
        request.client.protocol = 17;
        let (connection, peer, worker) = (ConnectionId(number), PeerId(number), WorkerId(0));
        let join = Join { connection, peer, worker, verified, request, single: true };
        self.handle(Input::Join(Box::new(join)));
        self.handle(Input::Event(Event::Connected { peer }));
    }

    /// One thing happens, and then whatever follows from it.
    fn handle(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.room.handle(input, self.now);
            while let Some(output) = self.room.poll_output() {
                inputs.extend(self.answer(output));
            }
        }
    }

    fn answer(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Directory(request) => Some(Input::Directory(self.directory.apply(request))),
            Output::Command { worker, command: Command::Route(batch) } => {
                let (room, version) = (batch.room, batch.version);
                Some(Input::Event(Event::Applied { worker, room, version }))
            }
            Output::Signal { message, .. } => {
                self.messages += 1;
                self.refused += usize::from(matches!(
                    message.response(),
                    trackyard_proto::Response::RequestResponse { .. }
                ));
                None
            }
            _ => None,
        }
    }

    fn publish(&mut self, wish: PublishDataTrack) {
        self.now = Now { instant: self.now.instant + INTERVAL, unix_ms: self.now.unix_ms + 1 };
        if self.room.poll_timeout().is_some_and(|due| due <= self.now.instant) {
            self.handle(Input::Timeout);
        }
        let request = Request::PublishDataTrack(wish);
        self.handle(Input::Signal { connection: ConnectionId(PUBLISHER), request });
    }
}

fn wish(number: u32) -> PublishDataTrack {
    let trickle = Trickle { candidate_init: String::new(), target: SignalTarget::Publisher, last: false };
    PublishDataTrack {
        pub_handle: number,
        name: format!("sensor/{number:05}"),
        encryption: Encryption::None,
        frame_encoding: None,
        schema: None,
        last_will: None,
        latch: false,
        delivery: Default::default(),
        echo: Echo::from(&trickle),
    }
}

pub(super) fn publish(meter: &mut Meter) -> Result<()> {
    let mut rig = Rig::new();
    (1..=TRACKS).for_each(|number| rig.publish(wish(number)));
    let before = rig.messages;
    let mut more = (TRACKS + 1..=TRACKS + MORE).map(wish).collect::<Vec<_>>().into_iter();
    meter.measure(MORE.into(), || more.by_ref().for_each(|wish| rig.publish(wish)));
    ensure!(rig.refused == 0 && rig.messages > before, "{} messages, {} refused", rig.messages, rig.refused);
    Ok(())
}
