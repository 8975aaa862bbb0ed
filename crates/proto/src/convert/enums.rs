//! Enumerations of the protocol.

use livekit_protocol as pb;

use crate::data_track::Encryption;
use crate::media_track::TrackKind;
use crate::participant::{DisconnectReason, Kind, ParticipantState};
use crate::signal::{LeaveAction, Reason, SignalTarget};

/// Both directions of an enumeration; a number that names nothing becomes `$unknown`.
macro_rules! enumeration {
    ($domain:ty, $wire:ty, unknown: $unknown:ident, { $($ours:ident = $theirs:ident),* $(,)? }) => {
        impl From<$domain> for $wire {
            fn from(value: $domain) -> Self {
                match value { $(<$domain>::$ours => Self::$theirs),* }
            }
        }

        impl From<$wire> for $domain {
            fn from(value: $wire) -> Self {
                match value { $(<$wire>::$theirs => Self::$ours),* }
            }
        }

        impl FromNumber for $domain {
            fn from_number(number: i32) -> Self {
                <$wire>::try_from(number).map_or(Self::$unknown, Self::from)
            }

            fn number(self) -> i32 {
                <$wire>::from(self).into()
            }
        }
    };
}

/// An enumeration by its number on the wire.
pub(super) trait FromNumber {
    /// Total: numbers that name nothing have a value, too.
    fn from_number(number: i32) -> Self;
    /// The number on the wire.
    fn number(self) -> i32;
}

enumeration!(ParticipantState, pb::participant_info::State, unknown: Joining, {
    Joining = Joining,
    Joined = Joined,
    Active = Active,
    Disconnected = Disconnected,
});

enumeration!(Kind, pb::participant_info::Kind, unknown: Standard, {
    Standard = Standard,
    Ingress = Ingress,
    Egress = Egress,
    Sip = Sip,
    Agent = Agent,
    Connector = Connector,
    Bridge = Bridge,
});

enumeration!(DisconnectReason, pb::DisconnectReason, unknown: Unknown, {
    Unknown = UnknownReason,
    ClientInitiated = ClientInitiated,
    DuplicateIdentity = DuplicateIdentity,
    ServerShutdown = ServerShutdown,
    ParticipantRemoved = ParticipantRemoved,
    RoomDeleted = RoomDeleted,
    StateMismatch = StateMismatch,
    JoinFailure = JoinFailure,
    Migration = Migration,
    SignalClose = SignalClose,
    RoomClosed = RoomClosed,
    UserUnavailable = UserUnavailable,
    UserRejected = UserRejected,
    SipTrunkFailure = SipTrunkFailure,
    ConnectionTimeout = ConnectionTimeout,
    MediaFailure = MediaFailure,
    AgentError = AgentError,
});

// A kind of encryption unknown here is never passed on as "in the clear".
enumeration!(Encryption, pb::encryption::Type, unknown: Custom, {
    None = None,
    Gcm = Gcm,
    Custom = Custom,
});

enumeration!(TrackKind, pb::TrackType, unknown: Data, {
    Audio = Audio,
    Video = Video,
    Data = Data,
});

enumeration!(SignalTarget, pb::SignalTarget, unknown: Publisher, {
    Publisher = Publisher,
    Subscriber = Subscriber,
});

enumeration!(LeaveAction, pb::leave_request::Action, unknown: Disconnect, {
    Disconnect = Disconnect,
    Resume = Resume,
    Reconnect = Reconnect,
});

enumeration!(Reason, pb::request_response::Reason, unknown: UnclassifiedError, {
    Ok = Ok,
    NotFound = NotFound,
    NotAllowed = NotAllowed,
    LimitExceeded = LimitExceeded,
    Queued = Queued,
    UnsupportedType = UnsupportedType,
    UnclassifiedError = UnclassifiedError,
    InvalidHandle = InvalidHandle,
    InvalidName = InvalidName,
    DuplicateHandle = DuplicateHandle,
    DuplicateName = DuplicateName,
    InvalidRequest = InvalidRequest,
});
