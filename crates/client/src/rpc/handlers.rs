//! Methods of this participant that others call.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use trackyard_session::Urgency;
use trackyard_stream::{Invocation, InvocationId, MethodTaken, Outbound, RpcError, RpcErrorCode, Sending};

use crate::core::Job;
use crate::room::Room;
use crate::shared::Shared;
use crate::streams::SendingStream;

type Handling = Pin<Box<dyn Future<Output = Result<String, RpcError>> + Send>>;

/// A call of a method of this participant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RpcInvocationData {
    /// The call's name, the same on both sides.
    pub request_id: String,
    /// Who calls. Where a server does, this is the call's name.
    pub caller_identity: String,
    /// What the caller says.
    pub payload: String,
    /// How long the caller waits for the result.
    pub response_timeout: Duration,
}

/// What an application does when a method is called.
#[derive(Clone)]
pub(crate) struct MethodHandler(Arc<dyn Fn(RpcInvocationData) -> Handling + Send + Sync>);

impl MethodHandler {
    /// Calls the handler in the task that it becomes when it is run. What it takes along needs no lock to be dropped.
    pub(crate) fn job(&self, shared: &Arc<Shared>, invocation: Invocation) -> Job {
        let (handler, shared) = (Arc::clone(&self.0), Arc::clone(shared));
        Box::new(move || Box::pin(answer(handler, shared, invocation)))
    }
}

impl Room {
    /// From now on, others can call a method of this participant: `handler` is called in a task of its own for each,
    /// and what it answers is their result, or their error.
    ///
    /// ```no_run
    /// use trackyard::RpcError;
    ///
    /// # async fn example(room: trackyard::Room) -> Result<(), Box<dyn std::error::Error>> {
    /// room.register_rpc_method("dock", |call| async move {
    ///     match call.payload.parse::<u32>() {
    ///         Ok(station) => Ok(format!("{} wants station {station}", call.caller_identity)),
    ///         Err(_) => Err(RpcError::new(1, "no such station", call.payload)),
    ///     }
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`MethodTaken`]: it has a handler.
    pub fn register_rpc_method<F: Future<Output = Result<String, RpcError>> + Send + 'static>(
        &self,
        method: impl Into<String>,
        handler: impl Fn(RpcInvocationData) -> F + Send + Sync + 'static,
    ) -> Result<(), MethodTaken> {
        let method = method.into();
        let handler = MethodHandler(Arc::new(move |call| Box::pin(handler(call))));
        // What is not kept is dropped after the lock is given back.
        let mut handler = Some(handler);
        self.shared.with(|core, _| {
            core.streams.streams.register_method(&method)?;
            // Calls may have waited for it.
            core.streams.is_touched = true;
            if core.closed().is_none() {
                core.streams.method_handlers.extend(handler.take().map(|handler| (method, handler)));
            }
            Ok(())
        })
    }

    /// From now on, a method cannot be called; calls that have begun go on.
    pub fn unregister_rpc_method(&self, method: &str) {
        // What the handler holds is dropped after the lock is given back.
        let _handler = self.shared.with(|core, _| {
            core.streams.streams.unregister_method(method);
            core.streams.method_handlers.remove(method)
        });
    }
}

/// Runs a method, and answers whoever has called it.
async fn answer(
    handler: Arc<dyn Fn(RpcInvocationData) -> Handling + Send + Sync>,
    shared: Arc<Shared>,
    mut invocation: Invocation,
) {
    let mut owed = Owed { shared: &shared, invocation: Some(invocation.id) };
    let result = match invocation.take_payload() {
        Ok(payload) => {
            let Invocation { request_id, caller, response_timeout, .. } = invocation;
            handler(RpcInvocationData { request_id, caller_identity: caller, payload, response_timeout })
                .await
        }
        Err(error) => Err(error),
    };
    let Some(sending) = owed.respond(result) else { return };
    // Whoever has called and does not get the answer learns it by the call's timeout, or this participant's end.
    let _ = SendingStream::new(&shared, sending).run(Urgency::Urgent, |_| ()).await;
}

/// A call that was not answered.
struct Owed<'s> {
    shared: &'s Arc<Shared>,
    invocation: Option<InvocationId>,
}

impl Owed<'_> {
    /// Sends an answer that is one packet at once; gives back one that is not.
    fn respond(&mut self, result: Result<String, RpcError>) -> Option<Sending> {
        let id = self.invocation.take()?;
        self.shared.with(|core, now| {
            let caller = core.streams.streams.caller(id)?.to_owned();
            let origin = core.stream_origin(&[caller]);
            match core.streams.streams.respond(id, result, &origin)? {
                Outbound::Stream(sending) => Some(sending),
                Outbound::Packet(packet) => {
                    if core.send_urgent(packet, now).is_err() {
                        core.streams.count_lost();
                    }
                    None
                }
            }
        })
    }
}

/// A method that panics, or is stopped, has failed.
impl Drop for Owed<'_> {
    fn drop(&mut self) {
        let _ = self.respond(Err(RpcErrorCode::ApplicationError.into()));
    }
}
