//! What a worker counts.

/// Declares the counters once, and with them the arrays by which they are published and read.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counters of one worker since its start.
        ///
        /// Each packet in has one fate: `packets_in = data_tracks_disabled + malformed_* + unknown_handle + packets_refused + no_route + routed`.
        /// Each user packet in has one fate: `messages_in = messages_malformed + messages_forbidden + messages_repeated + messages_ignored
        /// + messages_too_long + messages_answers + messages_unheard + messages_routed`.
        /// Each datagram in has one fate: `datagrams_in = datagrams_mine + datagrams_foreign + garbage_*`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct WorkerCounters {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl WorkerCounters {
            /// How many there are.
            pub const LEN: usize = [$(stringify!($name)),+].len();
            /// Their names, in the order of [`Self::values`].
            pub const NAMES: [&'static str; Self::LEN] = [$(stringify!($name)),+];
            /// What they count, in the order of [`Self::values`].
            pub const HELP: [&'static str; Self::LEN] = [$(concat!($($doc),+)),+];

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
    /// Of those: of frames refused whole, because the worker was behind and their publisher had had its share.
    packets_refused,
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
    /// Of those: of frames refused whole, as with `packets_refused`.
    crossings_refused,
    /// Frames refused whole because the worker was behind and their publisher had had its share, of this worker's and of other
    /// workers' publishers.
    frames_refused,
    /// Last wills of vanished publishers passed to lanes of this worker; among `forwarded`.
    last_wills,
    /// Frames of latched tracks kept for late joiners, each in place of the one before it.
    latched_kept,
    /// Frames of latched tracks not kept: they are too large, or their publisher or the worker keeps enough.
    latched_given_up,
    /// Of those: their publisher has all of its share.
    latched_over_share,
    /// Kept frames passed to late joiners of this worker; their packets are among `forwarded`.
    latched_sent,
    /// User packets from participants of this worker.
    messages_in,
    /// Their bytes.
    messages_in_bytes,
    /// Of those: not packets.
    messages_malformed,
    /// Of those: from participants that may not send any.
    messages_forbidden,
    /// Of those: repetitions, by sequence or nonce.
    messages_repeated,
    /// Of those: of a kind that is not forwarded for this sender.
    messages_ignored,
    /// Of those: too long for those who were to get them.
    messages_too_long,
    /// Of those: answers to packets of the server.
    messages_answers,
    /// Of those: for nobody who is here.
    messages_unheard,
    /// Of those: passed to at least one participant or worker.
    messages_routed,
    /// User packets passed to participants of this worker, from its own and from other workers' participants and from the server.
    messages_forwarded,
    /// User packets sent to other workers.
    message_crossings_out,
    /// User packets from other workers.
    message_crossings_in,
    /// Text streams begun by participants of this worker.
    text_streams,
    /// Byte streams begun by participants of this worker.
    byte_streams,
    /// RPC requests of participants of this worker, in packets of their own.
    rpc_requests,
    /// RPC responses of participants of this worker, in packets of their own.
    rpc_responses,
    /// Reliable packets that channels have taken.
    reliable_out,
    /// Their bytes.
    reliable_out_bytes,
    /// Lossy packets that channels have taken.
    lossy_out,
    /// Their bytes.
    lossy_out_bytes,
    /// Lossy packets dropped because a channel had no room.
    lossy_full,
    /// Lossy packets dropped because there was no channel yet, or no more.
    lossy_closed,
    /// User packets dropped because they are longer than a participant takes.
    messages_too_large,
    /// Reliable packets dropped because their receiver had fallen too far behind.
    reliable_dropped,
    /// Participants that had fallen too far behind and were told to join anew.
    reliable_overflow,
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
    /// Of `datagrams_mine`: left unread, because the worker was behind and their sender had sent several times its share.
    datagrams_unread,
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
    /// Descriptions that could not be used.
    bad_descriptions,
    /// Candidates of clients that could not be used. They end nothing.
    bad_candidates,
}
