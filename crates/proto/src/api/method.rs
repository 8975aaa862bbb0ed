//! The methods of the API by their names in a URL.

/// Where backends find the methods of [`Method`].
pub const SERVICE: &str = "livekit.RoomService";
/// Where they find what only this server has.
pub const PATCH_SERVICE: &str = "trackyard.RoomService";

/// Declares the methods once, with their names.
macro_rules! methods {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// A method of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Method {
            $($(#[$doc])+ $name,)+
        }

        impl Method {
            /// All of them.
            pub const ALL: [Self; [$(stringify!($name)),+].len()] = [$(Self::$name),+];

            /// As it stands in a URL.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

methods! {
    /// Makes a room, or changes one.
    CreateRoom,
    /// All rooms, or some.
    ListRooms,
    /// Ends a room for everyone in it.
    DeleteRoom,
    /// Everyone in a room.
    ListParticipants,
    /// One participant.
    GetParticipant,
    /// Sends a participant away.
    RemoveParticipant,
    /// Mutes a media track.
    MutePublishedTrack,
    /// Changes a participant's name, metadata, attributes or permission.
    UpdateParticipant,
    /// Changes what a participant is subscribed to.
    UpdateSubscriptions,
    /// Says something to participants.
    SendData,
    /// Replaces a room's metadata.
    UpdateRoomMetadata,
    /// Copies a participant to another room.
    ForwardParticipant,
    /// Moves a participant to another room.
    MoveParticipant,
    /// Calls a method that a participant has registered.
    PerformRpc,
    /// Merges a patch into a room's metadata; only this server has it, under [`PATCH_SERVICE`].
    PatchRoomMetadata,
}

impl Method {
    /// The method of a service by its name in a URL.
    #[must_use]
    pub fn find(service: &str, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.service() == service && method.name() == name)
    }

    /// Which service it belongs to.
    #[must_use]
    pub const fn service(self) -> &'static str {
        match self {
            Self::PatchRoomMetadata => PATCH_SERVICE,
            _ => SERVICE,
        }
    }

    /// The path of its URL.
    #[must_use]
    pub fn path(self) -> String {
        format!("/twirp/{}/{}", self.service(), self.name())
    }
}
