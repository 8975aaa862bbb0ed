//! Participants of the SDK, told what to do in lines of JSON: `{id, args: [identity, call]}` is answered
//! with `{id, value}` or `{id, error}`, and `{event, identity, fields}` comes in between.
//!
//! It ends when its input does.

mod call;
mod encryption;
mod events;
mod failure;
mod member;
mod output;
mod payload;
mod rpc;
mod schema;
mod streams;
mod talk;
mod tracks;

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::call::Call;
use crate::member::Member;
use crate::output::write;

/// Lines that wait to be understood.
const LINES_MAX: usize = 1_024;

/// What a line asks.
#[derive(Debug, Deserialize)]
struct Request {
    id: u64,
    args: (String, Call),
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let (sender, mut lines) = mpsc::channel(LINES_MAX);
    let reader = std::thread::spawn(move || read(&sender));
    let mut members: HashMap<String, Arc<Member>> = HashMap::new();
    let mut calls = JoinSet::new();
    write(&json!({"event": "ready"}));
    while let Some(line) = lines.recv().await {
        let Request { id, args: (identity, call) } =
            serde_json::from_str(&line).with_context(|| format!("not understood: {line}"))?;
        let member = members.entry(identity).or_insert_with_key(|identity| Arc::new(Member::new(identity)));
        calls.spawn(answer(id, Arc::clone(member), call));
        while calls.try_join_next().is_some() {}
    }
    calls.shutdown().await;
    for member in members.values() {
        member.close().await;
    }
    reader.join().map_err(|_| anyhow::anyhow!("the reader has panicked"))?
}

fn read(lines: &mpsc::Sender<String>) -> Result<()> {
    for line in std::io::stdin().lock().lines() {
        if lines.blocking_send(line?).is_err() {
            break;
        }
    }
    Ok(())
}

async fn answer(id: u64, member: Arc<Member>, call: Call) {
    match member.call(call).await {
        Ok(value) => write(&json!({"id": id, "value": value})),
        Err(failure) => {
            write(&json!({"id": id, "error": {"reason": failure.reason, "message": failure.message}}))
        }
    }
}
