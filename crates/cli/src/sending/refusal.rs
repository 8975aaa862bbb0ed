//! Why something is not sent, and what to do then.

use anyhow::anyhow;
use trackyard::{PublishDataError, SendDataError, SendStreamError, StreamError};

use crate::failure::Failure;

/// Why a payload is not sent.
pub(crate) fn data_refused(error: PublishDataError) -> Failure {
    match error {
        PublishDataError::Refused(error) => refused(error),
        error => Failure::Failed(anyhow::Error::new(error)),
    }
}

/// Why a stream is not sent.
pub(crate) fn stream_refused(error: SendStreamError) -> Failure {
    match error {
        SendStreamError::Refused(error) => refused(error),
        SendStreamError::Stream(StreamError::HeaderTooLarge { .. }) => {
            Failure::Usage(format!("{error}: shorten --attribute, or what --to and --topic name"))
        }
        error => Failure::Failed(anyhow::Error::new(error)),
    }
}

fn refused(error: SendDataError) -> Failure {
    match error {
        SendDataError::TooLarge { bytes, limit } => Failure::Usage(format!(
            "{bytes} bytes are more than the {limit} of one packet; \
             `trackyard text send` and `trackyard file send` take any length"
        )),
        SendDataError::NotAllowed => {
            Failure::Failed(anyhow!("{error}; the token has to grant it, or an administrator the permission"))
        }
        SendDataError::Encryption(error) => Failure::Failed(anyhow!(
            "the room is encrypted, and this cannot be ({error}); give --e2ee-passphrase or set TRACKYARD_E2EE_PASSPHRASE"
        )),
        error => Failure::Failed(anyhow::Error::new(error)),
    }
}
