//! Streams and calls: who waits for them, and the way of their packets.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};
use trackyard_proto::{DataPacket, Encryption};
use trackyard_session::{Flow, OutgoingPacket, PacketId, SendError, Urgency};
use trackyard_stream::{
    Abilities, Answer, CallId, Content, Event, Invocation, Medium, Origin, Output, RpcError, RpcErrorCode,
    StreamInfo, StreamKey, Streams, StreamsConfig, Taken,
};

use super::Core;
use crate::clock;
use crate::rpc::MethodHandler;
use crate::shared::Shared;
use crate::streams::StreamHandler;

/// Streams and calls that wait for the task that hands them to the application, beyond which they are refused.
const JOBS_MAX: usize = 1024;

/// What others have sent while this participant joined waits so long for an application that registers topics and
/// methods once it has its room.
const HOLD_TIME: Duration = Duration::from_secs(3);

/// The same while it joins.
const JOIN_TIME_MAX: Duration = Duration::from_secs(60);

/// Something for the application to do, run by a task and never under the lock.
pub(crate) type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Streams and calls of this room.
///
/// Invariant: nothing of the application's is called or dropped here that could want the room's lock.
pub(crate) struct StreamsCore {
    pub(crate) streams: Streams,
    pub(crate) stream_handlers: HashMap<(Medium, String), StreamHandler>,
    pub(crate) method_handlers: HashMap<String, MethodHandler>,
    /// Who reads a stream.
    readers: HashMap<StreamKey, Waker>,
    /// Who waits for the result of a call.
    calls: HashMap<CallId, oneshot::Sender<Answer>>,
    /// Flows that are open.
    flows: BTreeSet<Flow>,
    next_flow: u64,
    /// Counts sessions: a stream does not go on in another one.
    epoch: u64,
    /// Told whenever packets have been written, for those who found no room.
    pub(crate) room: Arc<Notify>,
    jobs: Option<mpsc::Sender<Job>>,
    /// Confirmations and refusals that could not be sent, and jobs that were not taken.
    lost: u64,
    /// When streams or calls have waited for too long.
    pub(super) wake: Option<Instant>,
    /// There may be more to do.
    pub(crate) is_touched: bool,
}

/// What an application has registered; to be dropped without the lock, which it could want.
#[derive(Default)]
pub(crate) struct Handlers {
    _streams: HashMap<(Medium, String), StreamHandler>,
    _methods: HashMap<String, MethodHandler>,
}

/// A flow of packets that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FlowTicket {
    pub(crate) flow: Flow,
    epoch: u64,
}

impl StreamsCore {
    /// Also gives what has to be run by [`dispatch`].
    pub(crate) fn new(now: Instant) -> (Self, mpsc::Receiver<Job>) {
        let (jobs, receiver) = mpsc::channel(JOBS_MAX);
        let rng = fastrand::Rng::new();
        let mut streams = Streams::new(StreamsConfig::default(), rng);
        streams.hold_until(now + JOIN_TIME_MAX);
        let core = Self {
            streams,
            stream_handlers: HashMap::new(),
            method_handlers: HashMap::new(),
            readers: HashMap::new(),
            calls: HashMap::new(),
            flows: BTreeSet::new(),
            next_flow: 0,
            epoch: 0,
            room: Arc::new(Notify::new()),
            jobs: Some(jobs),
            lost: 0,
            wake: None,
            is_touched: false,
        };
        (core, receiver)
    }

    /// Takes what is next of a stream, or wakes the reader once there is something.
    pub(crate) fn take(&mut self, stream: StreamKey, reader: &Waker) -> Taken {
        let taken = self.streams.take(stream);
        match &taken {
            Taken::Waiting => drop(self.readers.insert(stream, reader.clone())),
            Taken::Ended(_) => drop(self.readers.remove(&stream)),
            Taken::Chunk(_) => {}
        }
        taken
    }

    /// Nobody reads a stream any more.
    pub(crate) fn close(&mut self, stream: StreamKey) {
        self.readers.remove(&stream);
        self.streams.close(stream);
    }

    /// Waits for the result of a call.
    pub(crate) fn wait(&mut self, call: CallId) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.calls.insert(call, sender);
        receiver
    }

    /// Nobody waits for the result any more.
    pub(crate) fn cancel(&mut self, call: CallId) {
        self.calls.remove(&call);
        self.streams.cancel_call(call);
    }

    /// A flow of its own; not [`Flow::USER`].
    pub(crate) fn open_flow(&mut self) -> FlowTicket {
        self.next_flow += 1;
        let flow = Flow(self.next_flow);
        self.flows.insert(flow);
        FlowTicket { flow, epoch: self.epoch }
    }

    /// Whether the session is still the one in which the flow was opened.
    pub(crate) fn is_current(&self, ticket: FlowTicket) -> bool {
        ticket.epoch == self.epoch
    }

    pub(crate) fn close_flow(&mut self, ticket: FlowTicket) {
        self.flows.remove(&ticket.flow);
    }

    /// Confirmations and refusals that could not be sent, and streams and calls that the application was too slow for.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// A packet could not be sent.
    pub(crate) fn count_lost(&mut self) {
        self.lost += 1;
    }

    /// Gives up what the application has registered.
    pub(super) fn take_handlers(&mut self) -> Handlers {
        Handlers {
            _streams: std::mem::take(&mut self.stream_handlers),
            _methods: std::mem::take(&mut self.method_handlers),
        }
    }

    /// `false` if it is not taken.
    fn run(&mut self, job: Job) -> bool {
        let Some(jobs) = &self.jobs else { return false };
        match jobs.try_send(job) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {
                self.lost += 1;
                false
            }
        }
    }
}

impl Core {
    /// A packet of a stream or a call.
    pub(super) fn stream_packet(
        &mut self,
        packet: DataPacket,
        encryption: Encryption,
        (shared, now): (&Arc<Shared>, Instant),
    ) {
        // What is neither of a stream nor of a call is not handed in here.
        let _ = self.streams.streams.handle(packet, encryption, now);
        self.pump_streams(shared, now);
    }

    /// A participant has left.
    pub(super) fn streams_left(&mut self, identity: &str, shared: &Arc<Shared>, now: Instant) {
        self.streams.streams.participant_left(identity);
        self.pump_streams(shared, now);
    }

    /// A new session: others take this participant for another one, and those who were there are new as well.
    pub(super) fn streams_renewed(&mut self, shared: &Arc<Shared>, now: Instant) {
        self.streams.epoch += 1;
        for flow in std::mem::take(&mut self.streams.flows) {
            self.session.cancel_flow(flow, now);
        }
        self.streams.room.notify_waiters();
        self.streams.streams.session_over();
        self.pump_streams(shared, now);
    }

    /// It is over.
    pub(super) fn streams_closed(&mut self) {
        self.streams.epoch += 1;
        self.streams.jobs = None;
        self.streams.room.notify_waiters();
        self.streams.streams.session_over();
        self.streams.readers.drain().for_each(|(_, reader)| reader.wake());
        // Whoever waits for a call is told by its end.
        self.streams.calls.clear();
        self.streams.wake = None;
    }

    /// The room is handed to the application.
    pub(super) fn streams_connected(&mut self, shared: &Arc<Shared>, now: Instant) {
        self.streams.streams.hold_until(now + HOLD_TIME);
        self.pump_streams(shared, now);
    }

    /// Streams and calls may have waited for too long.
    pub(super) fn streams_timeout(&mut self, now: Instant) {
        if self.streams.wake.is_some_and(|at| at <= now) {
            self.streams.streams.handle_timeout(now);
            self.streams.is_touched = true;
        }
    }

    /// Does what streams and calls want.
    pub(crate) fn pump_streams(&mut self, shared: &Arc<Shared>, now: Instant) {
        self.streams.is_touched = false;
        loop {
            match self.streams.streams.poll_output() {
                Output::Send(packet) => {
                    if self.send_urgent(packet, now).is_err() {
                        self.streams.count_lost();
                    }
                }
                Output::Event(event) => self.stream_event(event, shared, now),
                Output::Timeout(wake) => {
                    self.streams.wake = wake;
                    return;
                }
            }
        }
    }

    /// Sends a packet ahead of streams.
    pub(crate) fn send_urgent(&mut self, packet: DataPacket, now: Instant) -> Result<PacketId, SendError> {
        let (flow, urgency) = (Flow::USER, Urgency::Urgent);
        self.session.send_packet(OutgoingPacket { packet, flow, urgency }, now)
    }

    /// Begins a stream to those, or to everyone.
    pub(crate) fn stream_origin(&mut self, destinations: &[String]) -> Origin {
        let of = |identity: &String| self.abilities_of(identity);
        let abilities = if destinations.is_empty() {
            Abilities::all(self.people.others.values().map(|info| Abilities::of(info)))
        } else {
            Abilities::all(destinations.iter().map(of))
        };
        Origin { stream_id: self.streams.streams.stream_id(), unix_ms: clock::unix_ms(), abilities }
    }

    /// What a participant can read; nothing special if it is not known.
    pub(crate) fn abilities_of(&self, identity: &str) -> Abilities {
        self.people.others.get(identity).map_or(Abilities::NONE, |info| Abilities::of(info))
    }

    fn stream_event(&mut self, event: Event, shared: &Arc<Shared>, now: Instant) {
        match event {
            Event::Opened { stream, sender, info, content } => {
                if !self.stream_opened(stream, (sender, info, content), shared) {
                    self.streams.close(stream);
                }
            }
            Event::Changed(stream) => {
                if let Some(reader) = self.streams.readers.remove(&stream) {
                    reader.wake();
                }
            }
            Event::Invoked(invocation) => self.invoked(invocation, shared, now),
            // Whoever does not wait any more is passed over.
            Event::Answered(call, answer) => {
                let _ = self.streams.calls.remove(&call).map(|waiter| waiter.send(answer));
            }
        }
    }

    /// `false` if the application is too slow.
    fn stream_opened(
        &mut self,
        stream: StreamKey,
        (sender, info, content): (String, StreamInfo, Content),
        shared: &Arc<Shared>,
    ) -> bool {
        let topic = (info.medium(), info.topic.clone());
        let Some(handler) = self.streams.stream_handlers.get(&topic) else { return false };
        let job = handler.job(shared, (stream, info, content), sender);
        self.streams.run(job)
    }

    fn invoked(&mut self, invocation: Invocation, shared: &Arc<Shared>, now: Instant) {
        let id = invocation.id;
        let job = self
            .streams
            .method_handlers
            .get(&invocation.method)
            .map(|handler| handler.job(shared, invocation));
        if job.is_some_and(|job| self.streams.run(job)) {
            return;
        }
        let error = RpcError::from(RpcErrorCode::ApplicationError);
        let origin = self.stream_origin(&[String::new()]);
        if let Some(trackyard_stream::Outbound::Packet(packet)) =
            self.streams.streams.respond(id, Err(error), &origin)
            && self.send_urgent(packet, now).is_err()
        {
            self.streams.count_lost();
        }
    }
}

/// Hands streams and calls to the application, streams in the order in which they came, until the room is left. What it has
/// begun goes on by itself then.
pub(crate) async fn dispatch(mut jobs: mpsc::Receiver<Job>) {
    let mut running = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            job = jobs.recv(), if running.len() < JOBS_MAX => match job {
                // A handler that panics ends its own stream, and the runtime's hook has told of it.
                Some(job) => drop(catch_unwind(AssertUnwindSafe(job)).map(|job| running.spawn(job))),
                None => break,
            },
            // That one has panicked is told by the runtime.
            Some(_) = running.join_next() => {}
        }
    }
    running.detach_all();
}
