//! What is to be published, and how.

use std::time::Duration;

use trackyard_proto::{DeliveryWish, FrameEncoding, Schema};
use trackyard_track::{PacketSize, PublishOptions, PublishPolicy, PublishRules};

use crate::encryption;
use crate::frame::DataTrackFrame;

/// A data track to publish. A name alone is one, too.
///
/// ```
/// use std::time::Duration;
/// use trackyard::{DataTrackOptions, FrameEncoding, PublishPolicy};
///
/// let camera = DataTrackOptions::new("camera/front")
///     .with_frame_encoding(FrameEncoding::custom("mjpeg"))
///     .with_policy(PublishPolicy::Latest)
///     .with_max_age(Duration::from_millis(50));
/// # drop(camera);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DataTrackOptions {
    options: PublishOptions,
    is_unencrypted: bool,
}

impl DataTrackOptions {
    /// A track of this name: 1 to 256 bytes, unique among this participant's tracks.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { options: PublishOptions::new(name), is_unencrypted: false }
    }

    /// Says how payloads are encoded; announced, never read.
    #[must_use]
    pub fn with_frame_encoding(mut self, encoding: FrameEncoding) -> Self {
        self.options.frame_encoding = Some(encoding);
        self
    }

    /// Says what describes payloads; announced, never read.
    #[must_use]
    pub fn with_schema(mut self, schema: Schema) -> Self {
        self.options.schema = Some(schema);
        self
    }

    /// Says which frames wait, how old they may get, and what share of the link the track has.
    #[must_use]
    pub fn with_rules(mut self, rules: PublishRules) -> Self {
        self.options.rules = rules;
        self
    }

    /// Says which frames wait while the connection has no room.
    #[must_use]
    pub fn with_policy(mut self, policy: PublishPolicy) -> Self {
        self.options.rules.policy = policy;
        self
    }

    /// A frame is not begun later than this after it was pushed.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.options.rules.age_max = age;
        self
    }

    /// Says how frames are cut into packets.
    #[must_use]
    pub fn with_packet_size(mut self, size: PacketSize) -> Self {
        self.options.packet_size = size;
        self
    }

    /// Leaves a last frame with the server, at most 1,200 bytes of payload: it sends it to the track's
    /// subscribers once it gives this client up, which it does about 20 s after the last sign of life, or at
    /// once if the client's place is taken away. What has to stop sooner takes a
    /// [deadline](crate::DataTrackSubscribeOptions::with_deadline) as well. Servers that do not know this
    /// ignore it ([`LocalDataTrack::has_last_will`]).
    ///
    /// [`LocalDataTrack::has_last_will`]: crate::LocalDataTrack::has_last_will
    #[must_use]
    pub fn with_last_will(mut self, frame: DataTrackFrame) -> Self {
        self.options.last_will = Some(frame.into());
        self
    }

    /// Has the server keep the track's last whole frame, of at most 2 MiB, and send it to those who subscribe later: for
    /// what changes seldom and is wanted by everyone, such as a map or a description. They tell it by
    /// [`DataTrackFrame::is_latched`]. The server keeps it as long as the track is published;
    /// after a full reconnect this client sends its last frame again. Servers that do not know this ignore it
    /// ([`LocalDataTrack::is_latched`]).
    ///
    /// [`LocalDataTrack::is_latched`]: crate::LocalDataTrack::is_latched
    #[must_use]
    pub fn latched(mut self) -> Self {
        self.options.latch = true;
        self
    }

    /// Wishes how the server hands the track's frames on to every subscriber. Its operator's rules are upper bounds,
    /// and a subscriber may wish for less; servers that do not know this ignore it. What waits in this client is
    /// up to [`with_rules`](Self::with_rules).
    #[must_use]
    pub fn with_delivery(mut self, wish: DeliveryWish) -> Self {
        self.options.delivery = wish;
        self
    }

    /// Leaves the track's frames in the clear in a room that is encrypted otherwise.
    #[must_use]
    pub fn unencrypted(mut self) -> Self {
        self.is_unencrypted = true;
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.options.name
    }

    pub(crate) fn into_options(self, is_room_encrypted: bool) -> PublishOptions {
        let mut options = self.options;
        if is_room_encrypted && !self.is_unencrypted {
            options.encryption = encryption::KIND;
        }
        options
    }
}

impl From<&str> for DataTrackOptions {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for DataTrackOptions {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}
