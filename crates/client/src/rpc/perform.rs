//! Calls of this participant.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard_session::Urgency;
use trackyard_stream::{Answer, CallId, CallRequest, Outbound, RpcError, RpcErrorCode, Sending};

use crate::clock;
use crate::core::Core;
use crate::participant::LocalParticipant;
use crate::shared::Shared;
use crate::streams::SendingStream;

/// A call of a method of another participant.
///
/// ```
/// use std::time::Duration;
/// use trackyard::PerformRpc;
///
/// let call = PerformRpc::new("robot", "dock").with_payload("3").with_response_timeout(Duration::from_secs(30));
/// # drop(call);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerformRpc {
    request: CallRequest,
}

impl PerformRpc {
    /// A method of the participant of this identity, with nothing to say.
    pub fn new(destination_identity: impl Into<String>, method: impl Into<String>) -> Self {
        Self { request: CallRequest::new(destination_identity, method, String::new()) }
    }

    /// What the method is told: up to 15,360 bytes always, up to 16 MiB where the other side speaks version 2.
    #[must_use]
    pub fn with_payload(mut self, payload: impl Into<String>) -> Self {
        self.request.payload = payload.into();
        self
    }

    /// How long to wait for the result, 15 s by default. The call has to arrive within 7 s in any case.
    #[must_use]
    pub fn with_response_timeout(mut self, timeout: Duration) -> Self {
        self.request.response_timeout = timeout;
        self
    }
}

impl LocalParticipant {
    /// Calls a method of another participant and waits for its result. It overtakes streams that wait for the
    /// connection.
    ///
    /// ```no_run
    /// use trackyard::{PerformRpc, RpcErrorCode};
    ///
    /// # async fn example(room: trackyard::Room) {
    /// match room.local_participant().perform_rpc(PerformRpc::new("robot", "dock").with_payload("3")).await {
    ///     Ok(result) => println!("{result}"),
    ///     Err(error) if error.kind() == Some(RpcErrorCode::UnsupportedMethod) => println!("it cannot dock"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RpcError`]: the method's own, or what [`RpcErrorCode`] names.
    ///
    /// # Cancel safety
    /// The other side may still do what it is asked when it is dropped; nobody waits for the result then.
    pub async fn perform_rpc(&self, call: PerformRpc) -> Result<String, RpcError> {
        let (id, outbound, answer) = self.shared.with(|core, now| {
            let (id, outbound) = begin(core, call.request, now)?;
            Ok::<_, RpcError>((id, outbound, core.streams.wait(id)))
        })?;
        let _call = Call { shared: &self.shared, id };
        let sending = async {
            if let Some(sending) = outbound {
                send(&self.shared, sending).await?;
            }
            std::future::pending::<Result<Answer, RpcError>>().await
        };
        let answer = tokio::select! {
            // A call that ends before it is sent is given up.
            answer = answer => answer.map_err(|_| RpcError::from(RpcErrorCode::RecipientDisconnected)),
            answer = sending => answer,
        };
        answer?.into_result()
    }
}

/// Sends a call that is one packet at once; answers one that is not.
fn begin(
    core: &mut Core,
    mut request: CallRequest,
    now: Instant,
) -> Result<(CallId, Option<Sending>), RpcError> {
    if core.closed().is_some() {
        return Err(RpcErrorCode::SendFailed.with_data("the room was left"));
    }
    request.abilities = core.abilities_of(&request.destination);
    request.server_version.clone_from(&core.people.server_version);
    request.unix_ms = clock::unix_ms();
    let (id, outbound) = core.streams.streams.call(request, now)?;
    core.streams.is_touched = true;
    match outbound {
        Outbound::Stream(sending) => Ok((id, Some(sending))),
        Outbound::Packet(packet) => match core.send_urgent(packet, now) {
            Ok(_) => Ok((id, None)),
            Err(error) => {
                core.streams.cancel(id);
                Err(RpcErrorCode::SendFailed.with_data(error.to_string()))
            }
        },
    }
}

async fn send(shared: &Arc<Shared>, sending: Sending) -> Result<(), RpcError> {
    let sent = SendingStream::new(shared, sending).run(Urgency::Urgent, |_| ()).await;
    sent.map_err(|error| RpcErrorCode::SendFailed.with_data(error.to_string()))
}

/// A call that somebody waits for.
struct Call<'s> {
    shared: &'s Arc<Shared>,
    id: CallId,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.shared.with(|core, _| core.streams.cancel(self.id));
    }
}
