//! Text and byte streams: sent, and received by topic.

mod error;
mod file;
mod handlers;
mod lane;
mod options;
mod reader;
mod send;
mod writer;

pub use error::{ReadStreamError, SendStreamError};
pub use options::{StreamByteOptions, StreamTextOptions};
pub use reader::{ByteStreamReader, READ_ALL_BYTES_MAX, TextStreamReader};
pub use writer::{ByteStreamWriter, TextStreamWriter};

pub(crate) use handlers::StreamHandler;
use lane::Lane;
pub(crate) use send::SendingStream;
