//! Files as byte streams, read and written in pieces.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use bytes::Bytes;
use futures_util::StreamExt;
use trackyard_proto::packet::StreamContent;
use trackyard_stream::{CHUNK_BYTES, Compress, StreamInfo, Writer, is_worth_compressing};

use super::writer::OpenWriter;
use super::{ByteStreamReader, ReadStreamError, SendStreamError, StreamByteOptions};
use crate::participant::LocalParticipant;

/// What is read at a time: whole chunks.
const BLOCK_BYTES: usize = 8 * CHUNK_BYTES;
/// What receivers are told of a file that cannot be read to its end.
const UNREADABLE: &str = "the file cannot be read";

impl LocalParticipant {
    /// Sends a file to other participants, without ever holding more than a piece of it, and waits until the
    /// connection has taken all of it.
    ///
    /// ```no_run
    /// use trackyard::StreamByteOptions;
    ///
    /// # async fn example(room: trackyard::Room) -> Result<(), Box<dyn std::error::Error>> {
    /// let options = StreamByteOptions::new("maps")
    ///     .with_destination("operator")
    ///     .with_progress(|sent| println!("{:.0} %", 100.0 * sent));
    /// room.local_participant().send_file("hall-3.pgm", options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SendStreamError`]: the file cannot be read, or what [`send_text`](Self::send_text) tells.
    ///
    /// # Cancel safety
    /// The file is given up when it is dropped, which receivers are told.
    pub async fn send_file(
        &self,
        path: impl AsRef<Path>,
        options: StreamByteOptions,
    ) -> Result<StreamInfo, SendStreamError> {
        let path = path.as_ref().to_owned();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let (file, length) = blocking(move || {
            let file = File::open(path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        })
        .await?;
        let (mut file, first) = read_block(file).await?;
        let StreamByteOptions { mut stream, progress, is_named } = options;
        stream.total_length = Some(length);
        if let Some(name) = name.filter(|_| !is_named) {
            stream.content = StreamContent::Bytes { name };
        }
        if !is_worth_compressing(&first) {
            stream.compress = Compress::Never;
        }
        let origin = self.shared.with(|core, _| core.stream_origin(&stream.destinations));
        let writer = Writer::compressed(stream, &origin)?;
        let mut open = OpenWriter::begin(&self.shared, writer, progress).await?;
        let mut block = first;
        while !block.is_empty() {
            open.write(block).await?;
            (file, block) = match read_block(file).await {
                Ok(read) => read,
                Err(error) => {
                    open.abort(UNREADABLE);
                    return Err(error.into());
                }
            };
        }
        if !open.writer.is_complete() {
            open.abort(UNREADABLE);
            return Err(
                io::Error::new(io::ErrorKind::UnexpectedEof, "it has changed while it was read").into()
            );
        }
        open.close(&BTreeMap::new()).await?;
        Ok(open.writer.info().clone())
    }
}

impl ByteStreamReader {
    /// Writes the stream into a new file, or in place of one, as it comes; answers how many bytes. Where it fails, what
    /// had come stays there.
    ///
    /// # Errors
    /// [`ReadStreamError`]: the stream is not complete, or the file cannot be written.
    ///
    /// # Cancel safety
    /// What had come stays in the file when it is dropped.
    pub async fn write_to_file(mut self, path: impl AsRef<Path>) -> Result<u64, ReadStreamError> {
        let path = path.as_ref().to_owned();
        let mut file = blocking(move || File::create(path)).await?;
        while let Some(bytes) = self.next().await {
            let bytes = bytes?;
            file = blocking(move || file.write_all(&bytes).map(|()| file)).await?;
        }
        blocking(move || file.sync_all()).await?;
        Ok(self.bytes_received())
    }
}

/// The next block, full but for the last one.
async fn read_block(mut file: File) -> io::Result<(File, Bytes)> {
    blocking(move || {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        let limit = u64::try_from(BLOCK_BYTES).unwrap_or(u64::MAX);
        (&mut file).take(limit).read_to_end(&mut block)?;
        Ok((file, block.into()))
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|ended| Err(io::Error::other(ended)))
}
