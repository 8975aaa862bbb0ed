//! Has the kernel give a client's datagrams to the worker that serves it.
//!
//! Workers share a port, and the kernel chooses the socket by a hash of the addresses, which knows nothing of who serves
//! whom. A worker that receives what is another's hands it over, and asks here for it to be led there: a classic BPF
//! program, which needs no privilege, tells the kernel the socket of each such address (`SO_ATTACH_REUSEPORT_CBPF`,
//! socket(7)). Nothing depends on it: an address that is not in the program, or shares its key with another, is served by
//! handing over as before.

mod program;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use trackyard_sfu::control::WorkerId;

pub(crate) use program::{Instruction, program};

/// Addresses in the program; what is beyond is handed over. The kernel takes 4,096 instructions, and each address needs
/// little more than two where workers are many.
const ADDRESSES_MAX: usize = 1_536;
/// A program takes effect for all who have asked since the last.
const EVERY: Duration = Duration::from_millis(50);
/// No program takes so long.
const LONG: Duration = Duration::from_secs(10);
/// Of a worker's time, at most one part in so many goes to programs.
const SHARE: u32 = 20;

/// Whose datagrams are led where. Its lock is taken when an address is first seen to stray and when it is released, never
/// for a packet of an address that has been asked for.
#[derive(Debug)]
pub(crate) struct Steering {
    led: Mutex<Led>,
}

#[derive(Debug)]
struct Led {
    workers: BTreeMap<u32, WorkerId>,
    max: usize,
    /// Something of it is not in the kernel yet.
    is_new: bool,
    due: Option<Instant>,
}

impl Steering {
    /// `is_shared`: workers share a port, so that there is something to lead.
    pub(crate) fn new(is_shared: bool) -> Self {
        let max = if is_shared { ADDRESSES_MAX } else { 0 };
        let led = Led { workers: BTreeMap::new(), max, is_new: false, due: None };
        Self { led: Mutex::new(led) }
    }

    /// Asks for what comes from there to be given to `worker`, if there is room for it. `true`: the kernel does not know
    /// everything yet.
    pub(crate) fn lead(&self, from: SocketAddr, worker: WorkerId) -> bool {
        let mut led = self.lock();
        let key = program::key(from);
        if led.workers.len() >= led.max && !led.workers.contains_key(&key) {
            return false;
        }
        led.is_new |= led.workers.insert(key, worker) != Some(worker);
        led.is_new
    }

    /// Nothing more is led from there to `worker`, from the next program on.
    pub(crate) fn release(&self, from: SocketAddr, worker: WorkerId) {
        let mut led = self.lock();
        let key = program::key(from);
        if led.workers.get(&key) == Some(&worker) {
            led.workers.remove(&key);
        }
    }

    /// Nothing is led to `worker` any more, from the next program on.
    pub(crate) fn release_all(&self, worker: WorkerId) {
        self.lock().workers.retain(|_, owner| *owner != worker);
    }

    /// Gives the kernel a new program, if there is something new and it is time. `false`: later.
    pub(crate) fn apply(&self, now: Instant, attach: impl FnOnce(&[Instruction]) -> io::Result<()>) -> bool {
        let program = {
            let mut led = self.lock();
            if !led.is_new {
                return true;
            }
            if led.due.is_some_and(|due| now < due) {
                return false;
            }
            // Nobody else begins with the next one before this is done, nor waits for it.
            (led.is_new, led.due) = (false, Some(now + LONG));
            program(&led.workers)
        };
        let start = Instant::now();
        let attached = attach(&program);
        let mut led = self.lock();
        led.due = Some(now + EVERY.max(start.elapsed() * SHARE));
        if let Err(error) = attached {
            led.shrink(&error);
        }
        !led.is_new
    }

    fn lock(&self) -> MutexGuard<'_, Led> {
        self.led.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Led {
    /// The kernel has refused: for want of memory that this user may have for it, or because it has no such thing.
    fn shrink(&mut self, error: &io::Error) {
        self.max = if error.kind() == io::ErrorKind::OutOfMemory { self.workers.len() / 2 } else { 0 };
        while self.workers.len() > self.max {
            self.workers.pop_last();
        }
        self.is_new = self.max > 0;
        let addresses = self.max;
        tracing::info!(%error, addresses, "the kernel leads datagrams of no more addresses to their workers; others are handed over");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: WorkerId = WorkerId(1);

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], port))
    }

    fn take(_: &[Instruction]) -> io::Result<()> {
        Ok(())
    }

    #[test]
    fn one_program_serves_all_who_have_asked_meanwhile() {
        let (steering, start) = (Steering::new(true), Instant::now());
        assert!(steering.apply(start, |_| panic!("nobody has asked")));
        assert!(steering.lead(address(1), WORKER));
        assert!(steering.lead(address(1), WORKER), "the kernel does not know it yet");
        assert!(steering.apply(start, take));
        assert!(!steering.lead(address(1), WORKER), "now it does");
        assert!(steering.lead(address(2), WORKER) && steering.lead(address(3), WORKER));
        assert!(!steering.apply(start, |_| panic!("it is too early")));
        assert!(steering.apply(start + Duration::from_secs(1), take));
        assert!(steering.apply(start + Duration::from_secs(2), |_| panic!("nothing is new")));
    }

    #[test]
    fn who_is_released_is_asked_for_again() {
        let (steering, mut now) = (Steering::new(true), Instant::now());
        let mut tell = |steering: &Steering| {
            now += Duration::from_secs(1);
            assert!(steering.apply(now, take));
        };
        assert!(steering.lead(address(1), WORKER) && steering.lead(address(2), WORKER));
        tell(&steering);
        steering.release(address(1), WorkerId(0));
        assert!(!steering.lead(address(1), WORKER), "it is another's release");
        steering.release(address(1), WORKER);
        assert!(steering.lead(address(1), WORKER));
        tell(&steering);
        steering.release_all(WORKER);
        assert!(steering.lead(address(2), WORKER));
    }

    #[test]
    fn it_is_bounded_and_takes_less_where_the_kernel_does() {
        let (steering, start) = (Steering::new(true), Instant::now());
        let led = (1..=2_000).filter(|port| steering.lead(address(*port), WORKER)).count();
        assert_eq!(led, ADDRESSES_MAX);
        let memory = |_: &[Instruction]| Err(io::ErrorKind::OutOfMemory.into());
        assert!(!steering.apply(start, memory), "half of them are tried next");
        assert!(!steering.lead(address(2_001), WORKER), "and no more");
        assert!(steering.apply(start + Duration::from_secs(9), |_| Err(io::ErrorKind::Unsupported.into())));
        assert!(!steering.lead(address(1), WORKER), "it is never asked again");
        assert!(!Steering::new(false).lead(address(1), WORKER));
    }
}
