//! Whoever waits for data blobs.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::sync::oneshot;
use trackyard_proto::DataBlobKey;
use trackyard_session::{BlobRequestId, DataBlobError, DataBlobEvent};

/// Whoever waits for data blobs. Each request is answered once by the session, with an error if need be.
#[derive(Default)]
pub(crate) struct BlobRequests {
    storing: HashMap<BlobRequestId, oneshot::Sender<Result<(), DataBlobError>>>,
    fetching: HashMap<BlobRequestId, oneshot::Sender<Result<Bytes, DataBlobError>>>,
}

impl BlobRequests {
    pub(crate) fn wait_stored(&mut self, id: BlobRequestId) -> oneshot::Receiver<Result<(), DataBlobError>> {
        let (sender, receiver) = oneshot::channel();
        self.storing.insert(id, sender);
        receiver
    }

    pub(crate) fn wait_found(
        &mut self,
        id: BlobRequestId,
    ) -> oneshot::Receiver<Result<Bytes, DataBlobError>> {
        let (sender, receiver) = oneshot::channel();
        self.fetching.insert(id, sender);
        receiver
    }

    /// What has become of a blob; answers one that is lost. Whoever does not wait any more is passed over.
    pub(crate) fn event(&mut self, event: DataBlobEvent) -> Option<(DataBlobKey, DataBlobError)> {
        match event {
            DataBlobEvent::Stored { request, result } => {
                let _ = self.storing.remove(&request).map(|waiter| waiter.send(result.map(|_| ())));
                None
            }
            DataBlobEvent::Found { request, result } => {
                let contents = result.map(|blob| blob.contents);
                let _ = self.fetching.remove(&request).map(|waiter| waiter.send(contents));
                None
            }
            DataBlobEvent::Lost { key, error } => Some((key, error)),
        }
    }
}
