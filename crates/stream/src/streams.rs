//! All streams and calls of one participant.

mod calls;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use fastrand::Rng;
use trackyard_proto::packet::PacketValue;
use trackyard_proto::{DataPacket, Encryption};

use crate::incoming::{Incoming, IncomingEvent};
use crate::rpc::{Answering, Calling, REQUEST_TOPIC, RESPONSE_TOPIC};
use crate::{
    Answer, CallId, Content, IncomingConfig, IncomingCounters, Invocation, Medium, RpcConfig, RpcCounters,
    StreamInfo, StreamKey, Taken, TopicTaken,
};

/// Bounds of streams and calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamsConfig {
    /// Of incoming streams.
    pub incoming: IncomingConfig,
    /// Of calls.
    pub rpc: RpcConfig,
}

/// What comes next.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it is handed on at once, and never kept in numbers")]
pub enum Output {
    /// Send this ahead of streams.
    Send(DataPacket),
    /// Tell the application.
    Event(Event),
    /// Nothing more until then.
    Timeout(Option<Instant>),
}

/// What an application is told.
#[derive(Debug)]
pub enum Event {
    /// A stream has begun whose topic is registered; read its chunks with `content`.
    Opened {
        /// To take its chunks by.
        stream: StreamKey,
        /// Who sends it.
        sender: String,
        /// What its header says.
        info: StreamInfo,
        /// Reads what [`Streams::take`] gives.
        content: Content,
    },
    /// There is something to take. Told again only after [`Taken::Waiting`].
    Changed(StreamKey),
    /// A method of this client is called. Answer with [`Streams::respond`].
    Invoked(Invocation),
    /// A call of this client has its result.
    Answered(CallId, Answer),
}

/// All streams and calls of one participant: give it the packets of others, and poll it until it has nothing more to say.
///
/// Invariant: whatever others send, it holds no more than its bounds, and tells of nothing that was not asked for.
#[derive(Debug)]
pub struct Streams {
    incoming: Incoming,
    calling: Calling,
    answering: Answering,
    /// Streams that are calls or results.
    calls: BTreeMap<StreamKey, calls::CallStream>,
    config: RpcConfig,
    counters: RpcCounters,
    rng: Rng,
    events: VecDeque<Event>,
}

impl Streams {
    /// Knows no topics or methods yet; names of streams and calls are drawn from `rng`.
    #[must_use]
    pub fn new(config: StreamsConfig, rng: Rng) -> Self {
        let mut incoming = Incoming::new(config.incoming);
        for topic in [REQUEST_TOPIC, RESPONSE_TOPIC] {
            incoming.register(Medium::Text, topic).expect("no topic has a handler yet");
        }
        Self {
            incoming,
            calling: Calling::new(config.rpc),
            answering: Answering::new(config.rpc),
            calls: BTreeMap::new(),
            config: config.rpc,
            counters: RpcCounters::default(),
            rng,
            events: VecDeque::new(),
        }
    }

    /// A packet of another participant, with the encryption it came by. One that is neither of streams nor of
    /// calls is given back.
    pub fn handle(&mut self, packet: DataPacket, encryption: Encryption, now: Instant) -> Option<DataPacket> {
        let DataPacket { participant_identity: sender, value, .. } = packet;
        let counters = &mut self.counters;
        match value {
            PacketValue::StreamHeader(header) => self.incoming.header(&sender, header, encryption, now),
            PacketValue::StreamChunk(chunk) => self.incoming.chunk(&sender, chunk, encryption, now),
            PacketValue::StreamTrailer(trailer) => self.incoming.trailer(&sender, trailer, encryption),
            PacketValue::RpcRequest(request) => self.answering.requested(&sender, request, counters),
            PacketValue::RpcAck(ack) => self.calling.acknowledged(&sender, &ack.request_id, counters),
            PacketValue::RpcResponse(response) => {
                let answer = (&*response.request_id, response.result);
                if let Some(stream) = self.calling.answered(&sender, answer, counters) {
                    self.incoming.close(stream);
                }
            }
            value @ (PacketValue::User(_) | PacketValue::Encrypted(_) | PacketValue::Other) => {
                return Some(DataPacket { participant_identity: sender, value, ..packet });
            }
        }
        self.settle();
        None
    }

    /// From now on streams of a topic are told of.
    ///
    /// # Errors
    /// [`TopicTaken`].
    pub fn register_topic(&mut self, medium: Medium, topic: &str) -> Result<(), TopicTaken> {
        self.incoming.register(medium, topic)?;
        self.settle();
        Ok(())
    }

    /// Until then, what comes for topics and methods that are not registered waits for that, within bounds: what
    /// others have sent while this participant joined has come by the time when it can register anything.
    pub fn hold_until(&mut self, until: Instant) {
        self.incoming.hold_until(until);
        self.answering.hold_until(until);
    }

    /// From now on they are not; those that are open stay.
    pub fn unregister_topic(&mut self, medium: Medium, topic: &str) {
        if medium != Medium::Text || ![REQUEST_TOPIC, RESPONSE_TOPIC].contains(&topic) {
            self.incoming.unregister(medium, topic);
        }
    }

    /// Takes what is next of a stream.
    pub fn take(&mut self, stream: StreamKey) -> Taken {
        self.incoming.take(stream)
    }

    /// Nobody reads a stream any more: the rest of it is dropped.
    pub fn close(&mut self, stream: StreamKey) {
        self.incoming.close(stream);
    }

    /// A participant has left.
    pub fn participant_left(&mut self, identity: &str) {
        self.left(Some(identity));
    }

    /// This session is over: nothing that is open can be completed.
    pub fn session_over(&mut self) {
        self.left(None);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.incoming.handle_timeout(now);
        self.answering.handle_timeout(now);
        for stream in self.calling.handle_timeout(now, &mut self.counters) {
            self.incoming.close(stream);
        }
        self.settle();
    }

    /// What comes next.
    pub fn poll_output(&mut self) -> Output {
        if let Some(packet) = self.answering.poll_packet() {
            return Output::Send(packet);
        }
        let event = self.events.pop_front();
        let event = event.or_else(|| self.answering.poll_invocation().map(Event::Invoked));
        let answered = |(call, answer)| Event::Answered(call, answer);
        match event.or_else(|| self.calling.poll_answer().map(answered)) {
            Some(event) => Output::Event(event),
            None => {
                let held = self.answering.poll_timeout();
                let wakes = [self.incoming.poll_timeout(), self.calling.poll_timeout(), held];
                Output::Timeout(wakes.into_iter().flatten().min())
            }
        }
    }

    /// What has become of incoming streams.
    #[must_use]
    pub fn incoming_counters(&self) -> IncomingCounters {
        self.incoming.counters()
    }

    /// What has become of calls.
    #[must_use]
    pub fn rpc_counters(&self) -> RpcCounters {
        self.counters
    }

    /// A name for a stream, unlike that of any other.
    pub fn stream_id(&mut self) -> String {
        random_id(&mut self.rng)
    }

    fn left(&mut self, identity: Option<&str>) {
        self.incoming.left(identity);
        self.answering.left(identity);
        for stream in self.calling.left(identity, &mut self.counters) {
            self.incoming.close(stream);
        }
        self.settle();
    }

    /// Hands on what has become of streams.
    fn settle(&mut self) {
        while let Some(event) = self.incoming.poll_event() {
            match event {
                IncomingEvent::Opened { stream, sender, info, compression } => {
                    let content = Content::new(&info, compression);
                    if info.medium() == Medium::Text
                        && [REQUEST_TOPIC, RESPONSE_TOPIC].contains(&&*info.topic)
                    {
                        self.call_opened(stream, &sender, (&info, content));
                    } else {
                        self.events.push_back(Event::Opened { stream, sender, info, content });
                    }
                }
                IncomingEvent::Changed(stream) if self.calls.contains_key(&stream) => {
                    self.call_changed(stream)
                }
                IncomingEvent::Changed(stream) => self.events.push_back(Event::Changed(stream)),
            }
        }
        self.calls.retain(|stream, _| !self.incoming.is_gone(*stream));
    }
}

/// 122 random bits, written as official clients write them.
pub fn random_id(rng: &mut Rng) -> String {
    let bits = (rng.u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
