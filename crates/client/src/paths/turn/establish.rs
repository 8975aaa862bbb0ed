//! An address at whichever relay gives one first.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::allocation::{Allocation, Way};
use super::error::ESTABLISH_MAX;
use super::link::Link;
use super::url::TurnUrl;
use super::{Candidate, Counters, Failure, TurnError};

/// Each relay has this advantage over the next one in order: UDP before TCP before TLS.
const HEAD_START: Duration = Duration::from_millis(500);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 3;
/// For a relay to take an address back.
const RELEASE_MAX: Duration = Duration::from_secs(1);
/// The protocol says when it wants to be called; not more often than this, whatever it says.
const STEP_MIN: Duration = Duration::from_millis(1);

/// An address at a relay, and the way there. Dropping it gives the address back.
pub(super) struct Established {
    pub(super) url: String,
    pub(super) relayed: SocketAddr,
    pub(super) ends: Pair,
}

/// An allocation and what carries it.
pub(super) struct Pair {
    pub(super) allocation: Allocation,
    pub(super) link: Link,
}

/// Asks all of them for an address. The first that gives one is used; the others forget theirs.
pub(super) async fn establish(
    candidates: &[Candidate],
    tls: &Arc<ClientConfig>,
    counters: &Arc<Counters>,
) -> Result<Established, Vec<Failure>> {
    let mut attempts = JoinSet::new();
    let mut head_start = Duration::ZERO;
    for candidate in candidates {
        let (candidate, tls, counters) = (candidate.clone(), Arc::clone(tls), Arc::clone(counters));
        attempts.spawn(async move {
            sleep(head_start).await;
            attempt(candidate, &tls, &counters).await
        });
        head_start += HEAD_START;
    }
    let mut failures = Vec::new();
    while let Some(ended) = attempts.join_next().await {
        match ended {
            Ok(Ok(established)) => return Ok(established),
            Ok(Err(failure)) => failures.push(failure),
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    Err(failures)
}

/// Asks one relay for an address.
pub(super) async fn attempt(
    candidate: Candidate,
    tls: &Arc<ClientConfig>,
    counters: &Arc<Counters>,
) -> Result<Established, Failure> {
    match allocate_anywhere(&candidate, tls, counters).await {
        Ok((relayed, ends)) => Ok(Established { url: candidate.text, relayed, ends }),
        Err(error) => Err(Failure { url: candidate.text, error: Arc::new(error) }),
    }
}

async fn allocate_anywhere(
    candidate: &Candidate,
    tls: &Arc<ClientConfig>,
    counters: &Arc<Counters>,
) -> Result<(SocketAddr, Pair), TurnError> {
    let url = candidate.url.as_ref().map_err(|error| *error)?;
    let mut last = TurnError::Timeout;
    for remote in resolve(url).await? {
        let allocating = async {
            let link = Link::open(url, remote, tls).await?;
            Pair::new(candidate, link, counters).allocate().await
        };
        match timeout(ESTABLISH_MAX, allocating).await {
            Ok(Ok(allocated)) => return Ok(allocated),
            Ok(Err(error)) => last = error,
            Err(_) => last = TurnError::Timeout,
        }
    }
    Err(last)
}

/// The relay's addresses; relays are mostly asked for IPv4, so those are first.
async fn resolve(url: &TurnUrl) -> Result<Vec<SocketAddr>, TurnError> {
    let found = timeout(ESTABLISH_MAX, lookup_host((url.host.as_str(), url.port))).await;
    let found = found.map_err(|_| TurnError::Resolve(std::io::ErrorKind::TimedOut.into()))?;
    let mut addresses: Vec<_> = found.map_err(TurnError::Resolve)?.collect();
    if addresses.is_empty() {
        return Err(TurnError::Resolve(std::io::ErrorKind::NotFound.into()));
    }
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.truncate(ADDRESSES_MAX);
    Ok(addresses)
}

impl Pair {
    fn new(candidate: &Candidate, link: Link, counters: &Arc<Counters>) -> Self {
        let way = Way { local: link.local, remote: link.remote, is_stream: link.is_stream() };
        let allocation = Allocation::new(way, &candidate.credentials, Arc::clone(counters), Instant::now());
        Self { allocation, link }
    }

    /// Waits for an address. The caller sets the deadline.
    async fn allocate(mut self) -> Result<(SocketAddr, Self), TurnError> {
        loop {
            let wake = self.flush().await?;
            if let Some(relayed) = self.allocation.relayed() {
                return Ok((relayed, self));
            }
            tokio::select! {
                message = self.link.receive() => {
                    self.allocation.handle(&message?, Instant::now(), |_, _| {})?;
                }
                () = sleep_until(wake.into()) => {}
            }
        }
    }

    /// Gives the address back and waits until the relay has taken it, or does not seem to.
    pub(super) async fn release(mut self) {
        let releasing = async {
            for message in self.allocation.give_back(Instant::now()) {
                self.link.send(&message).await?;
            }
            loop {
                let message = self.link.receive().await?;
                self.allocation.handle(&message, Instant::now(), |_, _| {})?;
                self.allocation.poll_timeout(Instant::now())?;
            }
        };
        // The relay forgets an address by itself, only later: nothing depends on how this ends.
        let _: Result<Result<Infallible, TurnError>, _> = timeout(RELEASE_MAX, releasing).await;
    }

    /// Sends everything that is to be sent; answers when time has to be told next.
    pub(super) async fn flush(&mut self) -> Result<Instant, TurnError> {
        let now = Instant::now();
        // What is asked for by the time comes out with the next round.
        for _ in 0..2 {
            while let Some(message) = self.allocation.poll_transmit(now)? {
                self.link.send(&message).await?;
            }
            let wake = self.allocation.poll_timeout(now)?;
            if wake > now {
                return Ok(wake.max(now + STEP_MIN));
            }
        }
        Ok(now + STEP_MIN)
    }
}

/// A relay would keep the address for minutes, and count it against the user's quota.
impl Drop for Pair {
    fn drop(&mut self) {
        for message in self.allocation.give_back(Instant::now()) {
            self.link.try_send(&message);
        }
    }
}
