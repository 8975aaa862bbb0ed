//! How streams are to be sent.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use trackyard_proto::packet::{StreamContent, TextHeader, TextOperation};
use trackyard_stream::{Compress, StreamOptions};

/// Told how much of a stream is sent, between 0 and 1.
pub(super) type Progress = Arc<dyn Fn(f64) + Send + Sync>;

/// How a text is to be sent.
///
/// ```
/// use trackyard::StreamTextOptions;
///
/// let options = StreamTextOptions::new("chat").with_destination("operator").with_attribute("language", "en");
/// # drop(options);
/// ```
#[derive(Clone)]
pub struct StreamTextOptions {
    pub(super) stream: StreamOptions,
    pub(super) progress: Option<Progress>,
}

/// How bytes or a file are to be sent.
///
/// ```
/// use trackyard::StreamByteOptions;
///
/// let options = StreamByteOptions::new("maps").with_name("hall-3.pgm").with_mime_type("image/x-portable-graymap");
/// # drop(options);
/// ```
#[derive(Clone)]
pub struct StreamByteOptions {
    pub(super) stream: StreamOptions,
    pub(super) progress: Option<Progress>,
    /// The application has named it.
    pub(super) is_named: bool,
}

/// What both kinds of streams have.
macro_rules! common {
    ($options:ty) => {
        impl $options {
            /// To this participant, and to no others than those named so.
            #[must_use]
            pub fn with_destination(mut self, identity: impl Into<String>) -> Self {
                self.stream.destinations.push(identity.into());
                self
            }

            /// To these participants only; to everyone if there are none.
            #[must_use]
            pub fn with_destinations(
                mut self,
                identities: impl IntoIterator<Item = impl Into<String>>,
            ) -> Self {
                self.stream.destinations.extend(identities.into_iter().map(Into::into));
                self
            }

            /// Adds an attribute, which receivers are told before the content.
            #[must_use]
            pub fn with_attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
                self.stream.attributes.insert(key.into(), value.into());
                self
            }

            /// Adds attributes.
            #[must_use]
            pub fn with_attributes(mut self, attributes: BTreeMap<String, String>) -> Self {
                self.stream.attributes.extend(attributes);
                self
            }

            /// Says what the content is.
            #[must_use]
            pub fn with_mime_type(mut self, mime_type: impl Into<String>) -> Self {
                self.stream.mime_type = mime_type.into();
                self
            }

            /// Says how many bytes will be written, where they are written bit by bit; receivers then see how much is
            /// still to come.
            #[must_use]
            pub fn with_total_length(mut self, bytes: u64) -> Self {
                self.stream.total_length = Some(bytes);
                self
            }

            /// Never compresses it. By default what is all there is compressed if every recipient can read that and
            /// it becomes shorter.
            #[must_use]
            pub fn without_compression(mut self) -> Self {
                self.stream.compress = Compress::Never;
                self
            }

            /// Tells how much of it is sent, between 0 and 1, each time something is.
            #[must_use]
            pub fn with_progress(mut self, progress: impl Fn(f64) + Send + Sync + 'static) -> Self {
                self.progress = Some(Arc::new(progress));
                self
            }
        }

        impl fmt::Debug for $options {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($options)).field("stream", &self.stream).finish_non_exhaustive()
            }
        }
    };
}

common!(StreamTextOptions);
common!(StreamByteOptions);

impl StreamTextOptions {
    /// Under a topic, to everyone else.
    pub fn new(topic: impl Into<String>) -> Self {
        Self { stream: StreamOptions::text(topic), progress: None }
    }

    /// It takes the place of an earlier text, of which this is another version.
    #[must_use]
    pub fn with_update(mut self, version: i32) -> Self {
        if let Some(header) = self.header() {
            header.operation = TextOperation::Update;
            header.version = version;
        }
        self
    }

    /// It answers another stream.
    #[must_use]
    pub fn with_reply_to(mut self, stream_id: impl Into<String>) -> Self {
        if let Some(header) = self.header() {
            header.reply_to_stream_id = stream_id.into();
        }
        self
    }

    /// Byte streams that belong to it, which are sent by themselves.
    #[must_use]
    pub fn with_attached_stream(mut self, stream_id: impl Into<String>) -> Self {
        if let Some(header) = self.header() {
            header.attached_stream_ids.push(stream_id.into());
        }
        self
    }

    /// It is always text.
    fn header(&mut self) -> Option<&mut TextHeader> {
        match &mut self.stream.content {
            StreamContent::Text(header) => Some(header),
            StreamContent::Bytes { .. } => None,
        }
    }
}

impl StreamByteOptions {
    /// Under a topic, to everyone else.
    pub fn new(topic: impl Into<String>) -> Self {
        Self { stream: StreamOptions::bytes(topic), progress: None, is_named: false }
    }

    /// Names it; a file has its own name by default.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.stream.content = StreamContent::Bytes { name: name.into() };
        self.is_named = true;
        self
    }
}
