//! What a room counts.

/// Declares the counters once, and with them their names and values in the same order.
macro_rules! counters {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// Counters of one room since it began; each names a reason.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct RoomCounters {
            $($(#[$doc])+ pub $name: u64,)+
        }

        impl RoomCounters {
            /// Their names, in the order of [`Self::values`].
            pub const NAMES: [&'static str; [$(stringify!($name)),+].len()] = [$(stringify!($name)),+];

            /// All values.
            #[must_use]
            pub fn values(&self) -> [u64; Self::NAMES.len()] {
                [$(self.$name),+]
            }
        }

        impl std::ops::AddAssign for RoomCounters {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

counters! {
    /// Sessions that began.
    joins,
    /// Sessions that came back on a new signal connection.
    resumes,
    /// Resumes of sessions that are not here.
    resumes_unknown,
    /// Joins refused because the room was full.
    refused_full,
    /// Joins refused because the room was ending.
    refused_closed,
    /// Joins refused because the directory was too slow, or the identity too much in demand.
    refused_directory,
    /// Sessions replaced by another of the same identity.
    duplicate_identities,
    /// Sessions that never became active.
    join_failures,
    /// Sessions whose connection failed and that did not come back.
    connection_timeouts,
    /// Sessions that did not answer an offer.
    negotiation_timeouts,
    /// Sessions ended by a description that could not be used.
    bad_descriptions,
    /// Candidates that could not be read.
    bad_candidates,
    /// Sessions that a worker lost.
    peers_lost,
    /// Sessions ended because they sent too many signal messages.
    signal_floods,
    /// Sessions whose state after a resume was not the server's.
    sync_mismatches,
    /// Data tracks published.
    tracks_published,
    /// Publications refused, whatever the reason.
    tracks_refused,
    /// Data tracks whose publisher has vanished and whose last will was sent.
    last_wills,
    /// Data tracks taken away because their publisher may no longer publish.
    tracks_revoked,
    /// Data subscriptions that were given a handle.
    subscriptions,
    /// Subscriptions to tracks that are not known.
    subscriptions_unknown,
    /// Of those: dropped because too many were waiting.
    subscriptions_dropped,
    /// Of those: dropped because the track did not appear in time.
    subscriptions_expired,
    /// Subscriptions refused because all 65,535 handles were in use.
    handles_exhausted,
    /// Subscription permissions refused because they were too long.
    permissions_too_long,
    /// Data blobs that were not stored or not found.
    blobs_refused,
    /// Requests without effect here.
    requests_ignored,
    /// User packets of the server itself.
    server_packets,
    /// Times that a sender was told that a user packet was too long.
    packets_too_long,
    /// Sessions ended because they had fallen too far behind with reliable packets.
    reliable_overflows,
    /// Answers to packets of the server that nothing awaits any more.
    replies_late,
    /// Messages of administrators that were said before and not said again.
    server_packets_repeated,
    /// Calls of participants' methods for administrators.
    rpc_calls,
    /// Of those: ended by an error, whoever said so.
    rpc_failures,
    /// Wishes of administrators that were not granted.
    admin_refused,
    /// Patches of the room's metadata that came too late.
    metadata_conflicts,
    /// Inputs for sessions that are gone.
    stale_inputs,
}
