//! Many clients at once, and not more than so many at a time.

use std::collections::BTreeMap;
use std::future::Future;

use anyhow::Context;
use tokio::task::JoinSet;

use crate::failure::Failure;

/// Clients that come or go at the same time.
const AT_ONCE: usize = 32;

/// Does the same for each of so many clients, and gives the results in order; the first failure ends all.
///
/// # Errors
/// The first failure.
pub(super) async fn each<T, F>(clients: u32, work: impl Fn(u32) -> F) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let (mut waiting, mut tasks, mut done) = (0..clients, JoinSet::new(), BTreeMap::new());
    loop {
        while tasks.len() < AT_ONCE
            && let Some(number) = waiting.next()
        {
            let work = work(number);
            tasks.spawn(async move { (number, work.await) });
        }
        let Some(finished) = tasks.join_next().await else { break };
        let (number, result) = finished.context("a client's task has ended")?;
        done.insert(number, result?);
    }
    Ok(done.into_values().collect())
}
