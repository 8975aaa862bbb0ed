//! Ctrl-C, and what else asks a command to end.

use std::future::Future;

use tokio::sync::watch;

use crate::failure::Failure;

/// Told once when the command is to end: by Ctrl-C, SIGTERM, or the end of its terminal. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on. Has to be called within a runtime.
    ///
    /// # Errors
    /// When the system does not let it listen.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let (sender, receiver) = watch::channel(false);
        let asked = asked_to_end()?;
        tokio::spawn(async move {
            asked.await;
            // Nobody is left to be told when the command ends meanwhile.
            let _ = sender.send(true);
        });
        Ok(Self(receiver))
    }

    /// Waits until the command is to end.
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped.
    pub(crate) async fn wait(&mut self) {
        if self.0.wait_for(|is_asked| *is_asked).await.is_err() {
            // The listener is gone without a word, with the runtime.
            std::future::pending().await
        }
    }

    /// Does the work unless the command is to end before it is done.
    ///
    /// # Errors
    /// [`Failure::Interrupted`], or the work's own.
    pub(crate) async fn during<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.wait() => Err(Failure::Interrupted),
            outcome = work => outcome,
        }
    }
}

/// The listeners are there when this returns, and what it returns is done when one has heard something.
#[cfg(unix)]
fn asked_to_end() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn asked_to_end() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C is not heard");
            std::future::pending().await
        }
    })
}
