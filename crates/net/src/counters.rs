//! What the sockets of a worker count, and how counters cross threads.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter that one thread writes and any reads.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Declares the counters once: as they are written, as they are read, and by name.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// As written by the worker's thread.
        #[derive(Debug, Default)]
        pub(crate) struct NetCounters {
            $(pub(crate) $name: Counter,)+
        }

        /// What the sockets of one worker have counted since its start.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct NetSnapshot {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl NetCounters {
            pub(crate) fn snapshot(&self) -> NetSnapshot {
                NetSnapshot { $($name: self.$name.get()),+ }
            }
        }

        impl NetSnapshot {
            /// Their names, in the order of [`Self::values`].
            pub const NAMES: [&'static str; [$(stringify!($name)),+].len()] = [$(stringify!($name)),+];
            /// What they count, in the order of [`Self::values`].
            pub const HELP: [&'static str; Self::NAMES.len()] = [$(concat!($($doc),+)),+];

            /// All values.
            #[must_use]
            pub fn values(&self) -> [u64; Self::NAMES.len()] {
                [$(self.$name),+]
            }
        }
    };
}

counters! {
    /// Times the thread has woken.
    wakeups,
    /// Datagrams dropped because the kernel's send buffer was full.
    udp_send_full,
    /// Datagrams that the kernel refused to send.
    udp_send_failed,
    /// Datagrams to destinations that nothing can be sent to.
    udp_unsendable,
    /// Datagrams to an address of this machine that no client was told of.
    udp_wrong_destination,
    /// Errors on receiving.
    udp_receive_failed,
    /// Binding requests beyond their sender's rate.
    stun_rate_limited,
    /// Datagrams handed to the worker they are for.
    strays_out,
    /// Datagrams that other workers' sockets have received for this worker.
    strays_in,
    /// Datagrams not handed over: the other worker's queue was full.
    strays_dropped,
    /// Datagrams for no peer of any worker.
    unclaimed,
    /// Packets not handed to another worker: its queue was full, or it has ended.
    crossings_dropped,
    /// User packets not handed to another worker: too much waited for it, or it has ended.
    user_packets_dropped,
    /// ICE/TCP connections accepted.
    tcp_accepted,
    /// ICE/TCP connections that broke before or while they were accepted.
    tcp_accept_failed,
    /// ICE/TCP connections refused: too many in all or from one address, or to an address no client was told of.
    tcp_refused,
    /// ICE/TCP connections whose first frame was no binding request to a known peer.
    tcp_unclaimed,
    /// ICE/TCP connections handed to the worker they are for.
    tcp_handed_over,
    /// ICE/TCP connections closed for silence.
    tcp_timed_out,
    /// ICE/TCP connections ended by the other side or by an error.
    tcp_ended,
    /// Frames dropped because the client reads too slowly.
    tcp_send_full,
    /// Frames to clients whose connection is gone.
    tcp_no_connection,
}
