//! Reads what subscribers receive, and verifies it.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use tokio::sync::watch;
use tokio::task::JoinSet;
use trackyard::{DataTrackFrame, DataTrackStream, QueueStats};
use trackyard_bench::measure::SubscriberMeter;

use super::stage::{Stage, lock};
use super::subscriber::Subscriber;
use crate::failure::Failure;

/// A task for each subscription.
pub(super) struct Readers {
    tasks: JoinSet<QueueStats>,
    end: watch::Sender<bool>,
}

impl Readers {
    /// Begins to read.
    pub(super) fn start(stage: &Arc<Stage>, subscribers: &mut [Subscriber]) -> Self {
        let (end, ended) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for subscriber in subscribers {
            for stream in std::mem::take(&mut subscriber.streams) {
                let (stage, meter) = (Arc::clone(stage), Arc::clone(&subscriber.meter));
                tasks.spawn(read(stage, stream, (meter, ended.clone())));
            }
        }
        Self { tasks, end }
    }

    /// Reads no more, and says what became of frames in the buffers of subscriptions.
    ///
    /// # Errors
    /// When a reader has panicked.
    pub(super) async fn end(mut self) -> Result<Vec<QueueStats>, Failure> {
        // Readers whose subscription has ended are gone already.
        let _ = self.end.send(true);
        let mut stats = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            stats.push(ended.context("a subscriber's task has ended")?);
        }
        Ok(stats)
    }
}

async fn read(
    stage: Arc<Stage>,
    mut stream: DataTrackStream,
    (meter, mut end): (Arc<Mutex<SubscriberMeter>>, watch::Receiver<bool>),
) -> QueueStats {
    let mut end = pin!(end.wait_for(|is_ended| *is_ended));
    loop {
        tokio::select! {
            biased;
            frame = stream.next() => match frame {
                Some(frame) => take_down(&stage, &meter, &frame),
                None => break,
            },
            _ = &mut end => break,
        }
    }
    stream.stats()
}

/// The moment that counts is when an application has the frame, not when its last packet came.
fn take_down(stage: &Stage, meter: &Mutex<SubscriberMeter>, frame: &DataTrackFrame) {
    let received = stage.now();
    let (read, bytes) = (stage.payloads.read(frame.payload()), frame.payload().len());
    let arrival = lock(meter).record(&read, bytes, received);
    stage.count(|interval| interval.arrived(arrival, bytes));
}
