//! Packets of an application's own, beside data tracks.

use bytes::Bytes;
use trackyard_proto::packet::UserPacket;
use trackyard_proto::{DataPacket, PacketKind, PacketValue};
use trackyard_session::{OutgoingPacket, PacketDropReason, SendError};

use crate::participant::LocalParticipant;

/// How a payload is to be sent.
///
/// ```
/// use trackyard::DataPublishOptions;
///
/// let options = DataPublishOptions::reliable().with_topic("command").with_destination("robot");
/// # drop(options);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPublishOptions {
    kind: PacketKind,
    topic: Option<String>,
    destination_identities: Vec<String>,
}

/// Why a payload is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishDataError {
    /// It is not taken.
    #[error(transparent)]
    Refused(#[from] SendError),
    /// It has waited for the connection, and was dropped.
    #[error("the payload is dropped: {0}")]
    Dropped(#[from] PacketDropReason),
}

impl DataPublishOptions {
    /// In order, repeated until it arrives, over interruptions as well.
    #[must_use]
    pub fn reliable() -> Self {
        Self { kind: PacketKind::Reliable, topic: None, destination_identities: Vec::new() }
    }

    /// Sent once and at once, or not at all.
    #[must_use]
    pub fn lossy() -> Self {
        Self { kind: PacketKind::Lossy, ..Self::reliable() }
    }

    /// Under a topic, which receivers are told.
    #[must_use]
    pub fn with_topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }

    /// To this participant, and to no others than those named so.
    #[must_use]
    pub fn with_destination(mut self, identity: impl Into<String>) -> Self {
        self.destination_identities.push(identity.into());
        self
    }

    /// To these participants only; to everyone if there are none.
    #[must_use]
    pub fn with_destinations(mut self, identities: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.destination_identities.extend(identities.into_iter().map(Into::into));
        self
    }

    pub(crate) fn is_reliable(&self) -> bool {
        self.kind == PacketKind::Reliable
    }

    pub(crate) fn into_packet(self, payload: Bytes) -> OutgoingPacket {
        let user = UserPacket { payload, topic: self.topic, ..UserPacket::default() };
        let packet = DataPacket {
            kind: self.kind,
            destination_identities: self.destination_identities,
            value: PacketValue::User(user),
            ..DataPacket::default()
        };
        OutgoingPacket { packet, ..OutgoingPacket::default() }
    }
}

impl LocalParticipant {
    /// Sends a payload to other participants, and waits until the connection has taken it: a reliable one may have to
    /// wait for its turn, or for the connection to come back. A lossy one never waits; it is sent, or dropped and
    /// counted in [`Room::stats`](crate::Room::stats).
    ///
    /// ```no_run
    /// use trackyard::DataPublishOptions;
    ///
    /// # async fn example(room: trackyard::Room) -> Result<(), Box<dyn std::error::Error>> {
    /// let options = DataPublishOptions::reliable().with_topic("command").with_destination("robot");
    /// room.local_participant().publish_data("dock", options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PublishDataError`]: it is too long for one packet, too much waits already, the participant may not publish
    /// data, the room is encrypted and there is no key, or the room is left before it was sent.
    ///
    /// # Cancel safety
    /// Once polled, the payload is sent even if this is dropped.
    pub async fn publish_data(
        &self,
        payload: impl Into<Bytes>,
        options: DataPublishOptions,
    ) -> Result<(), PublishDataError> {
        let is_reliable = options.is_reliable();
        let packet = options.into_packet(payload.into());
        let written = self.shared.with(|core, now| {
            let id = core.session.send_packet(packet, now)?;
            Ok::<_, SendError>(is_reliable.then(|| core.packets.wait(id)))
        })?;
        match written {
            Some(written) => Ok(written.await.unwrap_or(Err(PacketDropReason::Closed))?),
            None => Ok(()),
        }
    }
}
