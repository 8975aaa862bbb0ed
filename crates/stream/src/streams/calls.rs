//! Calls among all streams: their own ends, and the streams that carry them.

use std::time::Instant;

use crate::rpc::{Answering, Payload, REQUEST_TOPIC};
use crate::{
    Answer, CallId, CallRequest, Content, InvocationId, MethodTaken, Origin, Outbound, RpcError,
    RpcErrorCode, StreamError, StreamInfo, StreamKey, Streams, Taken,
};

/// A stream that carries a call or its result.
#[derive(Debug)]
pub(super) struct CallStream {
    is_request: bool,
    content: Content,
}

impl Streams {
    /// From now on a method is called when others call it.
    ///
    /// # Errors
    /// [`MethodTaken`].
    pub fn register_method(&mut self, method: &str) -> Result<(), MethodTaken> {
        self.answering.register(method, &mut self.counters)
    }

    /// From now on it is not; calls that wait can still be answered.
    pub fn unregister_method(&mut self, method: &str) {
        self.answering.unregister(method);
    }

    /// Calls a method of another participant. Send what comes of it; the result is an [`Event::Answered`](crate::Event::Answered).
    ///
    /// # Errors
    /// [`RpcError`] if there is no need to send anything.
    pub fn call(&mut self, request: CallRequest, now: Instant) -> Result<(CallId, Outbound), RpcError> {
        let names = [self.stream_id(), self.stream_id()];
        self.calling.call(request, names, now, &mut self.counters)
    }

    /// Nobody waits for a call any more.
    pub fn cancel_call(&mut self, call: CallId) {
        if let Some(stream) = self.calling.cancel(call) {
            self.close(stream);
        }
    }

    /// Who waits for this answer; nothing if the caller has left.
    #[must_use]
    pub fn caller(&self, invocation: InvocationId) -> Option<&str> {
        self.answering.caller(invocation)
    }

    /// Answers a call; `origin` says what its [`caller`](Self::caller) can read. Send what comes of it; nothing if the
    /// caller has left.
    pub fn respond(
        &mut self,
        invocation: InvocationId,
        result: Result<String, RpcError>,
        origin: &Origin,
    ) -> Option<Outbound> {
        self.answering.respond(invocation, result, origin)
    }

    pub(super) fn call_opened(
        &mut self,
        stream: StreamKey,
        sender: &str,
        (info, mut content): (&StreamInfo, Content),
    ) {
        let is_request = info.topic == REQUEST_TOPIC;
        let opened = (stream, info);
        let is_wanted = if is_request {
            self.answering.request_opened(sender, opened, &mut self.counters)
        } else {
            self.calling.response_opened(sender, opened, &mut self.counters)
        };
        if !is_wanted {
            return self.close(stream);
        }
        content.set_limit(u64::try_from(self.config.payload_bytes_max).unwrap_or(u64::MAX));
        self.calls.insert(stream, CallStream { is_request, content });
    }

    pub(super) fn call_changed(&mut self, stream: StreamKey) {
        self.incoming.looked(stream);
        if self.incoming.waiting(stream) > self.config.payload_bytes_max {
            self.close(stream);
            let too_large = [RpcErrorCode::RequestPayloadTooLarge, RpcErrorCode::ResponsePayloadTooLarge];
            self.call_ended(stream, |is_request, _| Err(too_large[usize::from(!is_request)].into()));
        } else if self.incoming.has_ended(stream) {
            let arrived = self.take_all(stream);
            self.call_ended(stream, |is_request, content| match arrived {
                Ok(chunks) => Ok(Payload { content, chunks }),
                Err(_) if is_request => Err(Answering::unreadable()),
                Err(_) => Err(Answer::unreadable()),
            });
        }
    }

    fn call_ended(
        &mut self,
        stream: StreamKey,
        payload: impl FnOnce(bool, Content) -> Result<Payload, RpcError>,
    ) {
        let Some(CallStream { is_request, content }) = self.calls.remove(&stream) else { return };
        let payload = payload(is_request, content);
        if is_request {
            self.answering.request_ended(stream, payload, &mut self.counters);
        } else {
            self.calling.response_ended(stream, payload, &mut self.counters);
        }
    }

    fn take_all(&mut self, stream: StreamKey) -> Result<Vec<bytes::Bytes>, StreamError> {
        let mut chunks = Vec::new();
        loop {
            match self.take(stream) {
                Taken::Chunk(chunk) => chunks.push(chunk),
                Taken::Waiting => return Err(StreamError::Stalled),
                Taken::Ended(end) => return end.map(|_| chunks),
            }
        }
    }
}
