//! What waits for a worker that takes time, and in which turns it is served: as a worker's thread does it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use trackyard_peer::Transmit;

use super::Pace;
use super::slot::WorkerInput;

/// A datagram from somewhere that came then.
pub(super) type Waiting = (SocketAddr, Transmit, Instant);

/// Datagrams that are read at once.
const BATCH: usize = 32;
/// Packets and datagrams of other workers that are handled at once.
const MAIL_BATCH: usize = 64;

/// What is handled before the worker is asked what it wants.
pub(super) enum Batch {
    Inputs(Vec<WorkerInput>),
    Strays(Vec<Waiting>),
    Socket(Vec<Waiting>),
    /// It wanted to be called.
    Time,
}

/// A source of work.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Commands,
    UserPackets,
    Strays,
    Crossings,
    Socket,
    Time,
}

impl Stage {
    /// For how long it is served before the next has its turn.
    fn budget(self) -> Duration {
        Duration::from_millis(match self {
            Self::Commands | Self::UserPackets => 3,
            Self::Strays | Self::Crossings => 2,
            Self::Socket => 5,
            Self::Time => 0,
        })
    }

    fn next(self) -> Self {
        match self {
            Self::Commands => Self::UserPackets,
            Self::UserPackets => Self::Strays,
            Self::Strays => Self::Crossings,
            Self::Crossings => Self::Socket,
            Self::Socket => Self::Time,
            Self::Time => Self::Commands,
        }
    }
}

/// Queues by kind; those that are filled from outside are bounded.
#[derive(Default)]
pub(super) struct Desk {
    commands: VecDeque<WorkerInput>,
    user_packets: VecDeque<WorkerInput>,
    crossings: VecDeque<WorkerInput>,
    strays: VecDeque<Waiting>,
    socket: VecDeque<Waiting>,
    stage: Stage,
    spent: Duration,
    /// When the last has come.
    stirred: Option<Instant>,
    /// It has done what it was given by then.
    free_at: Option<Instant>,
}

impl Desk {
    /// Takes what rooms and other workers have sent; `false`: there is no place.
    pub(super) fn take(&mut self, input: WorkerInput, pace: Pace, now: Instant) -> bool {
        self.stirred = Some(now);
        match input {
            WorkerInput::Command(_) => self.commands.push_back(input),
            WorkerInput::CrossUserPacket(..) => self.user_packets.push_back(input),
            WorkerInput::Cross(_) if self.crossings.len() >= pace.mail => return false,
            WorkerInput::Cross(_) => self.crossings.push_back(input),
        }
        true
    }

    /// Takes a datagram that came to another worker; `false`: there is no place.
    pub(super) fn take_stray(&mut self, stray: Waiting, pace: Pace, now: Instant) -> bool {
        self.stirred = Some(now);
        let fits = self.strays.len() < pace.mail;
        if fits {
            self.strays.push_back(stray);
        }
        fits
    }

    /// Takes a datagram into the socket; `false`: there is no place.
    pub(super) fn take_datagram(&mut self, datagram: Waiting, pace: Pace) -> bool {
        self.stirred = Some(datagram.2);
        let fits = self.socket.len() < pace.socket_datagrams;
        if fits {
            self.socket.push_back(datagram);
        }
        fits
    }

    /// It still works on something.
    pub(super) fn is_working(&self, now: Instant) -> bool {
        self.free_at.is_some_and(|at| at > now)
    }

    /// It works for so long on what it was given last.
    pub(super) fn spend(&mut self, duration: Duration, now: Instant) {
        self.spent += duration;
        self.free_at = Some(now + duration);
    }

    /// When there is something to do, if otherwise there is at `next`.
    pub(super) fn poll_timeout(&self, next: Option<Instant>) -> Option<Instant> {
        let own = if self.is_empty() { None } else { self.stirred };
        let next = own.into_iter().chain(next).min();
        next.map(|at| self.free_at.map_or(at, |free_at| at.max(free_at)))
    }

    /// What comes next, from the source whose turn it is.
    pub(super) fn next(&mut self, is_due: bool) -> Option<Batch> {
        // Once around, and once more for a source whose budget was used up.
        for _ in 0..7 {
            if self.spent <= self.stage.budget()
                && let Some(batch) = self.batch(is_due)
            {
                return Some(batch);
            }
            (self.stage, self.spent) = (self.stage.next(), Duration::ZERO);
        }
        None
    }

    fn batch(&mut self, is_due: bool) -> Option<Batch> {
        let batch = match self.stage {
            Stage::Commands => Batch::Inputs(first(&mut self.commands, 1)?),
            Stage::UserPackets => Batch::Inputs(first(&mut self.user_packets, MAIL_BATCH)?),
            Stage::Crossings => Batch::Inputs(first(&mut self.crossings, MAIL_BATCH)?),
            Stage::Strays => Batch::Strays(first(&mut self.strays, MAIL_BATCH)?),
            Stage::Socket => Batch::Socket(first(&mut self.socket, BATCH)?),
            Stage::Time if is_due => Batch::Time,
            Stage::Time => return None,
        };
        Some(batch)
    }

    fn is_empty(&self) -> bool {
        let inputs = [&self.commands, &self.user_packets, &self.crossings];
        inputs.iter().all(|queue| queue.is_empty()) && self.strays.is_empty() && self.socket.is_empty()
    }
}

/// The first few of a queue, if there are any.
fn first<T>(queue: &mut VecDeque<T>, count: usize) -> Option<Vec<T>> {
    let count = count.min(queue.len());
    (count > 0).then(|| queue.drain(..count).collect())
}
