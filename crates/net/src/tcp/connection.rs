//! One ICE/TCP connection.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::framing::{FrameReader, FrameTooLong, FrameWriter};
use super::permit::Permit;

/// How long a connection may go without a whole frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Before the first.
    pub(crate) greeting_max: Duration,
    /// After it.
    pub(crate) silence_max: Duration,
}

/// Who is connected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    /// Our side, as clients are told.
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// A connection, wherever its worker is. Dropping it closes the socket.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    reader: FrameReader,
    writer: FrameWriter,
    pub(crate) ends: Ends,
    /// No whole frame until then: it is closed.
    pub(crate) deadline: Instant,
    silence_max: Duration,
    /// Held for as long as the socket is open.
    _permit: Permit,
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the other side has closed it")]
    Closed,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a read has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Bytes; there may be more.
    Some,
    /// Nothing more for now.
    Drained,
}

impl Connection {
    /// A connection that has just been accepted; it has to greet by `now` and its patience.
    pub(crate) fn new(
        stream: TcpStream,
        ends: Ends,
        permit: Permit,
        (patience, now): (Patience, Instant),
    ) -> Self {
        Self {
            stream,
            reader: FrameReader::default(),
            writer: FrameWriter::default(),
            ends,
            deadline: now + patience.greeting_max,
            silence_max: patience.silence_max,
            _permit: permit,
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    pub(crate) fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut self.stream)
    }

    /// Reads once, by way of `scratch`.
    pub(crate) fn fill(&mut self, scratch: &mut [u8]) -> Result<Filled, Ended> {
        match self.reader.fill(&mut self.stream, scratch) {
            Ok(0) => Err(Ended::Closed),
            Ok(_) => Ok(Filled::Some),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Filled::Drained),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Filled::Some),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks for a whole frame; one keeps the connection alive.
    pub(crate) fn check_frame(&mut self, now: Instant) -> Result<(), FrameTooLong> {
        if self.reader.check()? {
            self.deadline = now + self.silence_max;
        }
        Ok(())
    }

    /// Takes a whole frame.
    pub(crate) fn take_frame(&mut self) -> Option<&[u8]> {
        self.reader.next()
    }

    /// The frame just read is for whoever reads next.
    pub(crate) fn unread(&mut self, frame_bytes: usize) {
        self.reader.unread(frame_bytes);
    }

    /// Queues a frame and writes what can be written; `Ok(false)` if the frame was dropped.
    pub(crate) fn send(&mut self, frame: &[u8]) -> io::Result<bool> {
        let queued = self.writer.push(frame);
        self.writer.flush(&mut self.stream)?;
        Ok(queued)
    }

    /// Writes what could not be written before.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush(&mut self.stream)
    }
}
