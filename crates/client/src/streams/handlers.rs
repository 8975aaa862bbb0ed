//! Who gets the streams of a topic.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use trackyard_stream::{Content, Medium, StreamInfo, StreamKey, TopicTaken};

use super::reader::OpenReader;
use super::{ByteStreamReader, TextStreamReader};
use crate::core::Job;
use crate::room::Room;
use crate::shared::Shared;

type Handling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What an application does with the streams of a topic.
#[derive(Clone)]
pub(crate) struct StreamHandler(Arc<dyn Fn(OpenReader, String) -> Handling + Send + Sync>);

impl StreamHandler {
    fn new<F: Future<Output = ()> + Send + 'static>(
        handle: impl Fn(OpenReader, String) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |reader, sender| Box::pin(handle(reader, sender))))
    }

    /// Calls the handler when it is run. What it takes along needs no lock to be dropped.
    pub(crate) fn job(
        &self,
        shared: &Arc<Shared>,
        stream: (StreamKey, StreamInfo, Content),
        sender: String,
    ) -> Job {
        let (handler, shared) = (Arc::clone(&self.0), Arc::clone(shared));
        Box::new(move || handler(OpenReader::new(&shared, stream), sender))
    }
}

impl Room {
    /// From now on, each text stream under a topic is handed to `handler`, with the identity of who sends it: as soon
    /// as it begins, in the order in which they begin, each in a task of its own.
    ///
    /// ```no_run
    /// # async fn example(room: trackyard::Room) -> Result<(), Box<dyn std::error::Error>> {
    /// room.register_text_stream_handler("chat", |text, sender| async move {
    ///     match text.read_all().await {
    ///         Ok(text) => println!("{sender}: {text}"),
    ///         Err(error) => eprintln!("{sender}: {error}"),
    ///     }
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TopicTaken`]: texts of the topic have a handler.
    pub fn register_text_stream_handler<F: Future<Output = ()> + Send + 'static>(
        &self,
        topic: impl Into<String>,
        handler: impl Fn(TextStreamReader, String) -> F + Send + Sync + 'static,
    ) -> Result<(), TopicTaken> {
        let handler =
            StreamHandler::new(move |reader, sender| handler(TextStreamReader::new(reader), sender));
        self.register_stream_handler((Medium::Text, topic.into()), handler)
    }

    /// From now on, each byte stream under a topic is handed to `handler`, as
    /// [`register_text_stream_handler`](Self::register_text_stream_handler) does with texts.
    ///
    /// # Errors
    /// [`TopicTaken`]: byte streams of the topic have a handler.
    pub fn register_byte_stream_handler<F: Future<Output = ()> + Send + 'static>(
        &self,
        topic: impl Into<String>,
        handler: impl Fn(ByteStreamReader, String) -> F + Send + Sync + 'static,
    ) -> Result<(), TopicTaken> {
        let handler =
            StreamHandler::new(move |reader, sender| handler(ByteStreamReader::new(reader), sender));
        self.register_stream_handler((Medium::Bytes, topic.into()), handler)
    }

    /// From now on, text streams of a topic are ignored; those that have begun go on.
    pub fn unregister_text_stream_handler(&self, topic: &str) {
        self.unregister_stream_handler(Medium::Text, topic);
    }

    /// From now on, byte streams of a topic are ignored; those that have begun go on.
    pub fn unregister_byte_stream_handler(&self, topic: &str) {
        self.unregister_stream_handler(Medium::Bytes, topic);
    }

    fn register_stream_handler(
        &self,
        topic: (Medium, String),
        handler: StreamHandler,
    ) -> Result<(), TopicTaken> {
        // What is not kept is dropped after the lock is given back.
        let mut handler = Some(handler);
        self.shared.with(|core, _| {
            core.streams.streams.register_topic(topic.0, &topic.1)?;
            // Streams may have waited for it.
            core.streams.is_touched = true;
            if core.closed().is_none() {
                core.streams.stream_handlers.extend(handler.take().map(|handler| (topic, handler)));
            }
            Ok(())
        })
    }

    fn unregister_stream_handler(&self, medium: Medium, topic: &str) {
        // What the handler holds is dropped after the lock is given back.
        let _handler = self.shared.with(|core, _| {
            core.streams.streams.unregister_topic(medium, topic);
            core.streams.stream_handlers.remove(&(medium, topic.to_owned()))
        });
    }
}
