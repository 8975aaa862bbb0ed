//! One track of another participant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_proto::signal::{DataSubscription, SubscriptionOptions};
use trackyard_proto::{DataTrackInfo, Encryption};
use trackyard_wire::{Handle, Header};

use crate::remote::assembler::{Assembled, Assembler, Whole};
use crate::remote::event::{Gap, Received, RemoteEvent, RemoteFrame, RemoteOutput};
use crate::remote::stats::RemoteDropReason;
use crate::remote::{RemoteTrackId, RemoteTrackStats, SubscribeError, SubscriptionId};
use crate::{CipherError, Decryptor};

/// For the handle of a track that was subscribed to (protocol appendix C).
pub const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(10);

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
    undecryptable: Option<Option<CipherError>>,
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
    /// It has worked once, and is asked for anew.
    AskedAgain,
    /// There is a handle.
    Active,
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
            undecryptable: None,
            timer: None,
        }
    }

    pub(super) fn stats(&self) -> RemoteTrackStats {
        self.assembler.stats
    }

    pub(super) fn is_subscribed(&self) -> bool {
        !self.subscriptions.is_empty()
    }

    /// What all subscriptions together wish: the highest rate any of them asks for.
    pub(super) fn wanted(&self) -> SubscriptionOptions {
        let rates = self.subscriptions.values().map(|subscription| subscription.options.target_fps);
        let every = self.subscriptions.values().any(|subscription| subscription.options.target_fps.is_none());
        SubscriptionOptions { target_fps: rates.flatten().max().filter(|_| !every) }
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
        self.said = None;
        if self.phase == Phase::Active {
            self.phase = Phase::AskedAgain;
        }
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
            Phase::Idle | Phase::AskedAgain | Phase::Active => None,
        };
        [deadline, self.assembler.poll_timeout()].into_iter().flatten().min()
    }

    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Asked(Some(at)) if at <= now)
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
                        let news = self.undecryptable.replace(error) != Some(error);
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
        self.undecryptable = None;
        self.assembler.stats.frames_delivered += 1;
        Received::Frame(RemoteFrame {
            payload,
            user_timestamp: whole.extensions.user_timestamp,
            number: whole.number,
            timestamp: whole.timestamp,
            received: whole.received,
            publisher: Arc::clone(&self.publisher),
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
