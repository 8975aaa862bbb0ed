//! One track of another participant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_proto::signal::{DataSubscription, SubscriptionOptions};
use trackyard_proto::{DataTrackInfo, DeliveryWish, Encryption};
use trackyard_wire::{Handle, Header};

use crate::remote::assembler::{Assembled, Assembler, Whole};
use crate::remote::event::{Gap, Received, RemoteEvent, RemoteFrame, RemoteOutput};
use crate::remote::stats::RemoteDropReason;
use crate::remote::{RemoteTrackId, RemoteTrackStats, SubscribeError, SubscriptionId};
use crate::{CipherError, Decryptor};

/// For the handle of a track that was subscribed to (protocol appendix C).
pub const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(10);
/// A subscription that has worked and gets no new handle is asked for once more after this.
pub(super) const REPEAT_AFTER: Duration = Duration::from_secs(5);
/// Packets of a track that is no longer published are still taken for so long: what its publisher has left for
/// this case travels on another way than the announcement.
pub(super) const LINGER_MAX: Duration = Duration::from_secs(3);
/// A track says at most once in this time why its frames cannot be decrypted.
pub const UNDECRYPTABLE_PAUSE: Duration = Duration::from_secs(1);

/// Its publication, its subscriptions, and its frames.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) id: RemoteTrackId,
    pub(super) publisher: Arc<str>,
    pub(super) info: Arc<DataTrackInfo>,
    /// It is published; if not, it is here for its subscriptions only.
    pub(super) is_announced: bool,
    pub(super) handle: Option<Handle>,
    /// All that are alive, with whether they have been told that it works.
    pub(super) subscriptions: BTreeMap<SubscriptionId, Subscription>,
    pub(super) phase: Phase,
    /// What the server was last told in this session.
    pub(super) said: Option<SubscriptionOptions>,
    /// The server has said that this client may not.
    pub(super) is_forbidden: bool,
    /// In which session, or part of one, the server was last told that packets are not wanted.
    pub(super) declined: u64,
    pub(super) assembler: Assembler,
    undecryptable: Undecryptable,
    /// Until then its handle is kept, though it is no longer published.
    pub(super) lingers_until: Option<Instant>,
    /// When it is armed for.
    pub(super) timer: Option<Instant>,
}

/// What a subscription wishes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subscription {
    pub(super) options: SubscriptionOptions,
    pub(super) is_told: bool,
}

/// How far the subscription at the server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// There is none.
    Idle,
    /// The server has been asked, or will be; the time runs while it can hear.
    Asked(Option<Instant>),
    /// It has worked once, and is asked for anew; the time runs while it is published and the server can hear.
    AskedAgain(Option<Patience>),
    /// There is a handle.
    Active,
}

/// How long a new handle is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// When the server is asked once more.
    repeat: Option<Instant>,
    until: Instant,
}

impl Patience {
    fn new(now: Instant) -> Self {
        Self { repeat: Some(now + REPEAT_AFTER), until: now + SUBSCRIBE_TIMEOUT }
    }

    fn due(self) -> Instant {
        self.repeat.unwrap_or(self.until)
    }
}

/// What was last said about frames that cannot be decrypted.
#[derive(Debug, Default)]
struct Undecryptable {
    /// When, and why.
    said: Option<(Instant, Option<CipherError>)>,
    /// Frames have been decrypted since.
    is_over: bool,
}

impl Undecryptable {
    /// Another frame cannot be decrypted; `true`: that is news.
    fn note(&mut self, error: Option<CipherError>, now: Instant) -> bool {
        let is_news = self.said.is_none_or(|(at, said)| {
            (self.is_over || said != error) && now.saturating_duration_since(at) >= UNDECRYPTABLE_PAUSE
        });
        if is_news {
            *self = Self { said: Some((now, error)), is_over: false };
        }
        is_news
    }
}

impl Track {
    pub(super) fn new(id: RemoteTrackId, publisher: Arc<str>, info: Arc<DataTrackInfo>) -> Self {
        Self {
            id,
            publisher,
            info,
            is_announced: true,
            handle: None,
            subscriptions: BTreeMap::new(),
            phase: Phase::Idle,
            said: None,
            is_forbidden: false,
            declined: 0,
            assembler: Assembler::default(),
            undecryptable: Undecryptable::default(),
            lingers_until: None,
            timer: None,
        }
    }

    pub(super) fn stats(&self) -> RemoteTrackStats {
        self.assembler.stats
    }

    pub(super) fn is_subscribed(&self) -> bool {
        !self.subscriptions.is_empty()
    }

    /// What all subscriptions together wish: the highest rate any of them asks for, and of everything else as much
    /// as any of them does.
    pub(super) fn wanted(&self) -> SubscriptionOptions {
        let options = || self.subscriptions.values().map(|subscription| subscription.options);
        let every = options().any(|options| options.target_fps.is_none());
        let rates = options().filter_map(|options| options.target_fps);
        let delivery = options().map(|options| options.delivery).reduce(DeliveryWish::either);
        SubscriptionOptions {
            target_fps: rates.max().filter(|_| !every),
            delivery: delivery.unwrap_or_default(),
        }
    }

    /// The message that says so.
    pub(super) fn wish(&self) -> DataSubscription {
        DataSubscription { track_sid: self.info.sid.clone(), subscribe: true, options: self.wanted() }
    }

    /// The message that says that nothing is wanted any more.
    pub(super) fn decline(&self) -> DataSubscription {
        let options = SubscriptionOptions::default();
        DataSubscription { track_sid: self.info.sid.clone(), subscribe: false, options }
    }

    /// The server has to be asked again.
    pub(super) fn lose_handle(&mut self) {
        self.handle = None;
        self.lingers_until = None;
        self.lose_subscription();
    }

    /// The same, while packets under the handle are still taken.
    pub(super) fn linger(&mut self, now: Instant) {
        self.lingers_until = Some(now + LINGER_MAX);
        self.lose_subscription();
    }

    fn lose_subscription(&mut self) {
        self.said = None;
        if matches!(self.phase, Phase::Active | Phase::AskedAgain(_)) {
            self.phase = Phase::AskedAgain(None);
        }
    }

    /// The server is asked; the time runs from the first time on.
    pub(super) fn asked(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Asked(deadline) => *deadline = Some(deadline.unwrap_or(now + SUBSCRIBE_TIMEOUT)),
            Phase::AskedAgain(patience) => *patience = Some(patience.unwrap_or(Patience::new(now))),
            Phase::Idle | Phase::Active => {}
        }
    }

    /// The server cannot hear, or has nothing to give: the time does not run. Answers whether it did.
    pub(super) fn stop_waiting(&mut self) -> bool {
        match &mut self.phase {
            Phase::Asked(deadline) => deadline.take().is_some(),
            Phase::AskedAgain(patience) => patience.take().is_some(),
            Phase::Idle | Phase::Active => false,
        }
    }

    /// It is time to ask once more; said once.
    pub(super) fn take_repeat(&mut self, now: Instant) -> bool {
        let Phase::AskedAgain(Some(patience)) = &mut self.phase else { return false };
        patience.repeat.take_if(|at| *at <= now).is_some()
    }

    /// Subscriptions that have not been told yet that it works.
    pub(super) fn tell(&mut self) -> Vec<SubscriptionId> {
        let untold = self.subscriptions.iter_mut().filter(|(_, subscription)| !subscription.is_told);
        untold
            .map(|(id, subscription)| {
                subscription.is_told = true;
                *id
            })
            .collect()
    }

    /// When something is due.
    pub(super) fn due(&self) -> Option<Instant> {
        let deadline = match self.phase {
            Phase::Asked(deadline) => deadline,
            Phase::AskedAgain(patience) => patience.map(Patience::due),
            Phase::Idle | Phase::Active => None,
        };
        [deadline, self.lingers_until, self.assembler.poll_timeout()].into_iter().flatten().min()
    }

    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        match self.phase {
            Phase::Asked(deadline) => deadline.is_some_and(|at| at <= now),
            Phase::AskedAgain(patience) => patience.is_some_and(|patience| patience.until <= now),
            Phase::Idle | Phase::Active => false,
        }
    }

    pub(super) fn timeout_error(&self) -> SubscribeError {
        if self.is_forbidden { SubscribeError::NotAllowed } else { SubscribeError::Timeout }
    }

    /// Takes a packet, while at most `bytes_max` may be held.
    pub(super) fn push(&mut self, header: &Header, packet: &Bytes, bytes_max: usize, now: Instant) {
        self.assembler.push(header, packet, bytes_max, now);
    }

    /// Hands on what has come out, in the clear.
    pub(super) fn deliver(
        &mut self,
        mut decryptor: Option<&mut (dyn Decryptor + 'static)>,
        out: &mut impl Extend<RemoteOutput>,
    ) {
        let mut taken = self.assembler.take();
        for assembled in taken.drain(..) {
            let received = match assembled {
                Assembled::Gap(frames, reason) => Received::Gap(Gap { frames, reason }),
                Assembled::Frame(whole) => match self.in_the_clear(&whole, decryptor.as_deref_mut()) {
                    Ok(payload) => self.frame(&whole, payload),
                    Err(error) => {
                        let news = self.undecryptable.note(error, whole.received);
                        let event = RemoteEvent::Undecryptable { track: self.id, error };
                        out.extend(news.then_some(RemoteOutput::Event(event)));
                        let reason = RemoteDropReason::Undecryptable;
                        self.assembler.stats.drop_frame(reason);
                        Received::Gap(Gap { frames: 1, reason })
                    }
                },
            };
            out.extend([RemoteOutput::Item(self.id, received)]);
        }
        self.assembler.recycle(taken);
    }

    fn frame(&mut self, whole: &Whole, payload: Bytes) -> Received {
        self.undecryptable.is_over = true;
        self.assembler.stats.frames_delivered += 1;
        Received::Frame(RemoteFrame {
            payload,
            user_timestamp: whole.extensions.user_timestamp,
            number: whole.number,
            timestamp: whole.timestamp,
            received: whole.received,
            publisher: Arc::clone(&self.publisher),
            is_last_will: whole.is_last_will,
            is_latched: whole.is_latched,
        })
    }

    /// The payload as its publisher pushed it. What is announced decides: a track that is encrypted never
    /// yields a frame that is not.
    fn in_the_clear(
        &self,
        whole: &Whole,
        decryptor: Option<&mut (dyn Decryptor + 'static)>,
    ) -> Result<Bytes, Option<CipherError>> {
        if self.info.encryption == Encryption::None {
            return Ok(whole.payload.clone());
        }
        let encryption = whole.extensions.encryption.ok_or(None)?;
        let decryptor = decryptor.ok_or(CipherError::NoKey { key_index: encryption.key_index })?;
        Ok(decryptor.decrypt(&self.publisher, &encryption, &whole.payload)?.into())
    }
}
