//! The relay of one peer connection: which of several is used, and what becomes of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, sleep_until};
use trackyard_peer::{Datagram, Target, Transport};

use super::establish::{Established, establish};
use super::{Candidate, Counters, Failure, RelayState, RelayStatus, TurnError, count};
use crate::paths::Inbound;
use crate::paths::backoff::Backoff;

const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// An allocation that has held for as long as the longest pause was good.
const PAUSE_LONGEST: Duration = Duration::from_secs(60);

/// A datagram for a peer.
pub(super) type Outgoing = (SocketAddr, Vec<u8>);

/// The relay of one peer connection.
pub(super) struct Relay {
    pub(super) target: Target,
    pub(super) inbound: Arc<dyn Inbound>,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) candidates: watch::Receiver<Vec<Candidate>>,
    pub(super) outgoing: mpsc::Receiver<Outgoing>,
    pub(super) status: watch::Sender<RelayStatus>,
    pub(super) counters: Arc<Counters>,
}

/// How using a relay has ended.
enum Ended {
    Failed(Vec<Failure>),
    /// There are other relays, or other credentials.
    Replaced,
}

impl Relay {
    /// Has an address at one of the relays, and another one when that is lost. It is ended from outside.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(PAUSE_FIRST, PAUSE_LONGEST);
        loop {
            let began = Instant::now();
            let failures = match self.attempt().await {
                Ended::Replaced => {
                    backoff.reset();
                    continue;
                }
                Ended::Failed(failures) => failures,
            };
            if began.elapsed() > PAUSE_LONGEST {
                backoff.reset();
            }
            let is_final = failures.iter().all(|failure| failure.error.is_final());
            self.show(if failures.is_empty() { RelayState::Unused } else { RelayState::Failed(failures) });
            let pause = if is_final { None } else { Some(backoff.pause()) };
            if self.rest(pause).await.is_err() {
                return;
            }
        }
    }

    /// Gets an address and uses it for as long as that works.
    async fn attempt(&mut self) -> Ended {
        let candidates = self.candidates.borrow_and_update().clone();
        if candidates.is_empty() {
            return Ended::Failed(Vec::new());
        }
        self.show(RelayState::Connecting);
        let established = tokio::select! {
            established = establish(&candidates, &self.tls, &self.counters) => established,
            // An error means that nobody needs it any more; that is seen when it rests.
            Ok(()) = self.candidates.changed() => return Ended::Replaced,
        };
        let mut established = match established {
            Ok(established) => established,
            Err(failures) => return Ended::Failed(failures),
        };
        self.announce(&established);
        match self.carry(&mut established).await {
            Ok(()) => Ended::Replaced,
            Err(error) => {
                Ended::Failed(vec![Failure { url: established.url.clone(), error: Arc::new(error) }])
            }
        }
    }

    fn announce(&mut self, established: &Established) {
        // Of an address before this one.
        while self.outgoing.try_recv().is_ok() {
            count(&self.counters.not_ready);
        }
        let Established { url, relayed, .. } = established;
        self.show(RelayState::Ready { url: url.clone(), relayed: *relayed });
        self.inbound.relayed(self.target, Transport::Udp, *relayed);
    }

    /// Passes on both ways until the address is lost, or its relay is none that may be used.
    async fn carry(&mut self, established: &mut Established) -> Result<(), TurnError> {
        let Self { target, inbound, candidates, outgoing, .. } = self;
        let Established { url, relayed, ends } = established;
        let deliver = |source: SocketAddr, contents: &[u8]| {
            let datagram = Datagram { transport: Transport::Udp, source, destination: *relayed, contents };
            inbound.datagram(*target, datagram);
        };
        loop {
            let wake = ends.flush().await?;
            tokio::select! {
                message = ends.link.receive() => {
                    ends.allocation.handle(&message?, Instant::now(), deliver)?;
                }
                Some((peer, datagram)) = outgoing.recv() => {
                    ends.allocation.send(peer, datagram, Instant::now())?;
                }
                Ok(()) = candidates.changed() => {
                    let allowed = candidates.borrow_and_update();
                    if !allowed.iter().any(|candidate| candidate.text == *url) {
                        return Ok(());
                    }
                }
                () = sleep_until(wake.into()) => {}
            }
        }
    }

    /// Waits for the next attempt, or for other relays; without a pause, for those alone.
    async fn rest(&mut self, pause: Option<Duration>) -> Result<(), watch::error::RecvError> {
        let Some(pause) = pause else { return self.candidates.changed().await };
        tokio::select! {
            () = sleep(pause) => Ok(()),
            changed = self.candidates.changed() => changed,
        }
    }

    fn show(&self, state: RelayState) {
        self.status.send_modify(|status| status.change(state));
    }
}
