//! What a worker counts.

/// Declares the counters once, and with them the arrays by which they are published and read.
macro_rules! counters {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// Counters of one worker since its start.
        ///
        /// Each packet in has one fate: `packets_in = data_tracks_disabled + malformed_* + unknown_handle + no_route + routed`.
        /// Each datagram in has one fate: `datagrams_in = datagrams_mine + datagrams_foreign + garbage_*`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct WorkerCounters {
            $($(#[$doc])+ pub $name: u64,)+
        }

        impl WorkerCounters {
            /// How many there are.
            pub const LEN: usize = [$(stringify!($name)),+].len();
            /// Their names, in the order of [`Self::values`].
            pub const NAMES: [&'static str; Self::LEN] = [$(stringify!($name)),+];

            /// All values.
            #[must_use]
            pub fn values(&self) -> [u64; Self::LEN] {
                [$(self.$name),+]
            }

            /// The counters that have these values.
            #[must_use]
            pub fn from_values(values: [u64; Self::LEN]) -> Self {
                let [$($name),+] = values;
                Self { $($name),+ }
            }
        }
    };
}

counters! {
    /// Data-track packets from publishers of this worker.
    packets_in,
    /// Their bytes.
    packets_in_bytes,
    /// Of those: from peers that were opened without data tracks.
    data_tracks_disabled,
    /// Of those: shorter than a header.
    malformed_short,
    /// Of those: another version.
    malformed_version,
    /// Of those: handle 0.
    malformed_handle,
    /// Of those: extensions beyond their block or the packet.
    malformed_extensions,
    /// Of those: under a handle that is no track.
    unknown_handle,
    /// Of those: of a track that nobody receives.
    no_route,
    /// Of those: passed to at least one lane or hop.
    routed,
    /// Packets passed to lanes of this worker, from its own publishers and from crossings.
    forwarded,
    /// Their bytes.
    forwarded_bytes,
    /// Packets sent to other workers.
    crossings_out,
    /// Packets from other workers.
    crossings_in,
    /// Of those: malformed, or of a track that nobody receives here.
    crossings_unrouted,
    /// Last wills of vanished publishers passed to lanes of this worker; among `forwarded`.
    last_wills,
    /// User packets passed to rooms.
    messages_in,
    /// Their bytes.
    messages_in_bytes,
    /// Datagrams seen.
    datagrams_in,
    /// Their bytes.
    datagrams_in_bytes,
    /// Of those: for a connection of this worker.
    datagrams_mine,
    /// Of those: addressed to no connection of this worker, perhaps to one of another.
    datagrams_foreign,
    /// Of those: empty.
    garbage_empty,
    /// Of those: of no protocol used here.
    garbage_unknown_protocol,
    /// Of those: STUN that is none.
    garbage_malformed_stun,
    /// Of those: binding requests that name nobody.
    garbage_no_username,
    /// Of `datagrams_mine`: could not be used by their connection.
    datagrams_unusable,
    /// Data channels with labels that mean nothing here.
    unknown_channels,
    /// Datagrams to send.
    datagrams_out,
    /// Their bytes.
    datagrams_out_bytes,
    /// Peers opened.
    peers_opened,
    /// Peers closed by their room.
    peers_closed,
    /// Peers lost to a panic.
    peers_lost,
    /// Peers not opened: the worker is full, the id is taken, or the engine has refused.
    peers_refused,
    /// Commands and route changes that name a peer or track no longer here.
    stale_commands,
    /// Descriptions and candidates that could not be used.
    bad_descriptions,
}
