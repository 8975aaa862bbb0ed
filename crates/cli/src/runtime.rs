//! Where verbs run that are clients.

use std::future::Future;

use anyhow::Context;
use trackyard_server::config::{LogLevel, Logging};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{Outcome, logging};

/// The connection's driver has a thread of its own beside the verb, which writes without waiting for anyone.
const WORKERS: usize = 2;

/// Runs a verb that is a client, with its log on standard error and an ear for Ctrl-C.
///
/// # Errors
/// The verb's own, or when there is no place to run it in.
pub(crate) fn run_client<F>(verb: impl FnOnce(Interrupt) -> F) -> Outcome
where
    F: Future<Output = Outcome>,
{
    logging::start(&Logging { level: LogLevel::Warn, json: false })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = runtime.context("threads cannot be started")?;
    let outcome = runtime.block_on(async {
        let interrupt = Interrupt::listen().context("Ctrl-C cannot be listened to").map_err(Failure::from)?;
        verb(interrupt).await
    });
    // A read of standard input may never end, and nobody waits for it any more.
    runtime.shutdown_background();
    outcome
}
