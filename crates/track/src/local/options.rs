//! What an application wishes of a track it publishes.

use std::time::Duration;

use trackyard_lanes::{LaneRules, Policy};
use trackyard_proto::limits::{CUSTOM_ENCODING_BYTES, LAST_WILL_PAYLOAD_BYTES, NAME_BYTES};
use trackyard_proto::{DeliveryWish, Encryption, FrameEncoding, Schema, SchemaEncoding};

use crate::Frame;
use crate::local::PublishError;
use crate::local::packet_size::PacketSize;
use crate::local::schema;

/// Frames of a track that wait while the channel has no room; the oldest goes first.
pub const FRAMES_WAITING_MAX: u16 = 16;

/// A track to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishOptions {
    /// 1..=256 bytes, unique among this participant's tracks.
    pub name: String,
    /// Whether payloads are encrypted end to end; needs an encryptor.
    pub encryption: Encryption,
    /// How payloads are encoded; announced, never read.
    pub frame_encoding: Option<FrameEncoding>,
    /// What describes payloads; announced, never read.
    pub schema: Option<Schema>,
    /// What the server sends to subscribers as the track's last frame if this client vanishes: when its connection
    /// is lost for good, but not when it unpublishes the track or leaves. At most
    /// [`LAST_WILL_PAYLOAD_BYTES`]; the server says whether it does so. It is sealed when the track is published,
    /// and anew for each session.
    pub last_will: Option<Frame>,
    /// The server is asked to keep the last whole frame for those who come late. If it does, the last frame is kept
    /// here as well, and goes out first in each new session.
    pub latch: bool,
    /// What is wished of the server's scheduling, for every subscriber; its operator's rules are upper bounds.
    pub delivery: DeliveryWish,
    /// How frames are scheduled beside those of other tracks, here.
    pub rules: PublishRules,
    /// How frames are cut.
    pub packet_size: PacketSize,
}

impl PublishOptions {
    /// A track without encryption or type, scheduled as most tracks should be.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            encryption: Encryption::None,
            frame_encoding: None,
            schema: None,
            last_will: None,
            latch: false,
            delivery: DeliveryWish::default(),
            rules: PublishRules::default(),
            packet_size: PacketSize::default(),
        }
    }

    /// What every server would refuse is not asked for (protocol §5.1).
    pub(super) fn check(&self) -> Result<(), PublishError> {
        if !(1..=NAME_BYTES).contains(&self.name.len()) {
            return Err(PublishError::InvalidName);
        }
        let frame = match &self.frame_encoding {
            Some(FrameEncoding::Custom(name)) => Some(name),
            Some(FrameEncoding::WellKnown(_)) | None => None,
        };
        let schema = match self.schema.as_ref().and_then(|schema| schema.encoding.as_ref()) {
            Some(SchemaEncoding::Custom(name)) => Some(name),
            Some(SchemaEncoding::WellKnown(_)) | None => None,
        };
        let fits = |name: &String| (1..=CUSTOM_ENCODING_BYTES).contains(&name.len());
        if !frame.into_iter().chain(schema).all(fits) {
            return Err(PublishError::InvalidEncoding);
        }
        let will_bytes = self.last_will.as_ref().map_or(0, |will| will.payload.len());
        if will_bytes > LAST_WILL_PAYLOAD_BYTES {
            return Err(PublishError::LastWillTooLarge { bytes: will_bytes });
        }
        schema::check(self.frame_encoding.as_ref(), self.schema.as_ref())?;
        Ok(())
    }
}

/// How the frames of a track are scheduled while the channel has no room for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PublishRules {
    /// Which frames wait.
    pub policy: PublishPolicy,
    /// A frame is not begun later than this after it was pushed.
    pub age_max: Duration,
    /// A frame that has begun is given up after this.
    pub finish_max: Duration,
    /// Share of the link beside other tracks; 1..=1000.
    pub weight: u16,
}

impl Default for PublishRules {
    fn default() -> Self {
        let LaneRules { age_max, finish_max, weight, .. } = LaneRules::default();
        Self { policy: PublishPolicy::default(), age_max, finish_max, weight }
    }
}

/// Which frames wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PublishPolicy {
    /// Frames of one packet queue; a frame of several replaces whatever waits, since it is outdated
    /// by the time the channel has carried its predecessor.
    #[default]
    Auto,
    /// One frame waits; a newer one replaces it.
    Latest,
    /// So many frames wait, at most [`FRAMES_WAITING_MAX`]; the oldest goes first.
    Queue(u16),
}

impl PublishRules {
    /// The rules of the lane while frames of this kind are pushed.
    pub(super) fn lane_rules(self, packets: usize) -> LaneRules {
        let policy = match self.policy {
            PublishPolicy::Auto if packets == 1 => Policy::Queue(FRAMES_WAITING_MAX),
            PublishPolicy::Auto | PublishPolicy::Latest => Policy::Latest,
            PublishPolicy::Queue(frames) => Policy::Queue(frames.min(FRAMES_WAITING_MAX)),
        };
        let Self { age_max, finish_max, weight, .. } = self;
        LaneRules { policy, age_max, finish_max, weight, ..LaneRules::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(options: &PublishOptions, refused: Option<&PublishError>) {
        assert_eq!(options.check().err().as_ref(), refused);
    }

    fn encoded(frame: &str, schema: &str) -> PublishOptions {
        let encoding = Some(SchemaEncoding::Custom(schema.to_owned()));
        PublishOptions {
            frame_encoding: Some(FrameEncoding::Custom(frame.to_owned())),
            schema: Some(Schema { name: "pose".to_owned(), encoding }),
            ..PublishOptions::new("pose")
        }
    }

    #[test]
    fn what_a_server_would_refuse_is_refused_here() {
        check(&PublishOptions::new("a"), None);
        check(&PublishOptions::new("a".repeat(256)), None);
        check(&PublishOptions::new(""), Some(&PublishError::InvalidName));
        check(&PublishOptions::new("a".repeat(257)), Some(&PublishError::InvalidName));
        check(&encoded("raw", &"x".repeat(32)), None);
        check(&encoded("", "idl"), Some(&PublishError::InvalidEncoding));
        check(&encoded("raw", ""), Some(&PublishError::InvalidEncoding));
        check(&encoded(&"x".repeat(33), "idl"), Some(&PublishError::InvalidEncoding));
    }

    #[test]
    fn small_frames_queue_and_large_ones_replace() {
        let policy =
            |policy, packets| PublishRules { policy, ..PublishRules::default() }.lane_rules(packets).policy;
        assert_eq!(policy(PublishPolicy::Auto, 1), Policy::Queue(16));
        assert_eq!(policy(PublishPolicy::Auto, 2), Policy::Latest);
        assert_eq!(policy(PublishPolicy::Latest, 1), Policy::Latest);
        assert_eq!(policy(PublishPolicy::Queue(4), 2), Policy::Queue(4));
        assert_eq!(policy(PublishPolicy::Queue(400), 1), Policy::Queue(16));
    }
}
