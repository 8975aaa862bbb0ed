//! Streams, packets and calls between clients of the SDK in this process.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::mpsc;
use trackyard::{
    DataPublishOptions, PerformRpc, Room, RoomEvent, RoomEvents, RoomOptions, StreamByteOptions,
};
use trackyard_peer::ChannelKind;
use trackyard_rig::{LiveClient, Process, ServerProcess, token};
use trackyard_sim::client::ClientEvent;

use crate::report::Table;
use crate::{Settings, table};

const PATIENCE: Duration = Duration::from_secs(120);
const NEWCOMERS: usize = 20;
const CALLS: usize = 500;
const MEBIBYTE: usize = 1 << 20;

struct Member {
    room: Room,
    events: RoomEvents,
}

impl Member {
    async fn join(server: &ServerProcess, identity: &str) -> Result<Self> {
        let url = format!("ws://{}", server.http());
        let (room, events) = Room::connect(&url, token(identity, "figures"), RoomOptions::new()).await?;
        Ok(Self { room, events })
    }

    /// Waits until this one has heard of the other.
    async fn knows(&self, identity: &str) -> Result<()> {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        let known = async {
            while self.room.remote_participant(identity).is_none_or(|other| !other.is_active()) {
                looks.tick().await;
            }
        };
        Ok(tokio::time::timeout(PATIENCE, known).await?)
    }
}

pub(crate) async fn streams(settings: &Settings) -> Result<Table> {
    let mut rows = Vec::new();
    for bytes in [1_000, 4_000, 15_000, 60_000] {
        rows.push(packets(settings, bytes).await?);
    }
    rows.push(stream(settings).await?);
    let head = vec!["what", "per second", "server's processor time per MiB", "both clients' per MiB"];
    Ok(Table { title: "Reliable bytes from one client of ours to another".to_owned(), head, rows })
}

pub(crate) async fn calls(settings: &Settings) -> Result<Table> {
    let mut rows = vec![[
        "round trip of a call, p50 / p99".to_owned(),
        percentiles(calls_beside(settings, Beside::Nothing).await?),
    ]];
    for (what, beside) in [("beside another's stream", Beside::Other), ("beside its own stream", Beside::Own)]
    {
        rows.push([format!("the same {what}"), percentiles(calls_beside(settings, beside).await?)]);
    }
    let times = first_packets(settings).await?;
    rows.push([format!("connect to first reliable packet, p50 / max of {NEWCOMERS}"), spread(times)]);
    Ok(table("Calls, and first packets", rows))
}

/// What is under way beside calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    Own,
    Other,
}

async fn packets(settings: &Settings, bytes: usize) -> Result<Vec<String>> {
    let server = settings.start()?;
    let (sender, mut receiver) = (Member::join(&server, "a").await?, Member::join(&server, "b").await?);
    sender.knows("b").await?;
    let count = settings.count(16) * MEBIBYTE / bytes;
    let meter = Meter::start(&server)?;
    let send = async {
        let local = sender.room.local_participant();
        for _ in 0..count {
            let options = DataPublishOptions::reliable().with_destination("b");
            local.publish_data(vec![7; bytes], options).await?;
        }
        anyhow::Ok(())
    };
    let receive = async {
        let mut seen = 0;
        while seen < count {
            let event = receiver.events.recv().await.context("the room goes on")?;
            seen += usize::from(matches!(event, RoomEvent::DataReceived(_)));
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, async { tokio::try_join!(send, receive) }).await??;
    meter.row(format!("packets of {bytes} B"), count * bytes)
}

async fn stream(settings: &Settings) -> Result<Vec<String>> {
    let server = settings.start()?;
    let (sender, receiver) = (Member::join(&server, "a").await?, Member::join(&server, "b").await?);
    sender.knows("b").await?;
    let mut read = reading(&receiver.room)?;
    let bytes = settings.count(64) * MEBIBYTE;
    let meter = Meter::start(&server)?;
    let options = StreamByteOptions::new("bulk").with_destination("b");
    sender.room.local_participant().send_bytes(noise(bytes), options).await?;
    let received = tokio::time::timeout(PATIENCE, read.recv()).await?.context("the stream was read")?;
    anyhow::ensure!(received == bytes, "{received} of {bytes} bytes");
    meter.row(format!("a byte stream of {} MiB", bytes / MEBIBYTE), bytes)
}

/// Bytes that cannot be compressed.
fn noise(bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    std::iter::repeat_with(|| random.u8(..)).take(bytes).collect()
}

/// Reads whatever streams come, and says how long they were.
fn reading(room: &Room) -> Result<mpsc::UnboundedReceiver<usize>> {
    let (lengths, read) = mpsc::unbounded_channel();
    room.register_byte_stream_handler("bulk", move |reader, _| {
        let lengths = lengths.clone();
        async move {
            if let Ok(bytes) = reader.read_all().await {
                // Whoever measures calls does not ask.
                let _ = lengths.send(bytes.len());
            }
        }
    })?;
    Ok(read)
}

async fn calls_beside(settings: &Settings, beside: Beside) -> Result<Vec<Duration>> {
    let server = settings.start()?;
    let [caller, callee, other] = [
        Member::join(&server, "caller").await?,
        Member::join(&server, "callee").await?,
        Member::join(&server, "other").await?,
    ];
    caller.knows("callee").await?;
    other.knows("callee").await?;
    let _read = reading(&callee.room)?;
    callee.room.register_rpc_method("echo", |call| async move { Ok(call.payload.to_string()) })?;
    let streamer = match beside {
        Beside::Nothing => None,
        Beside::Own => Some(caller.room.local_participant()),
        Beside::Other => Some(other.room.local_participant()),
    };
    let streaming = streamer.map(|local| {
        tokio::spawn(async move {
            loop {
                let options = StreamByteOptions::new("bulk").with_destination("callee");
                if local.send_bytes(noise(4 * MEBIBYTE), options).await.is_err() {
                    return;
                }
            }
        })
    });
    let mut times = Vec::new();
    for _ in 0..settings.count(CALLS) {
        let begun = Instant::now();
        let call = PerformRpc::new("callee", "echo").with_payload("ping");
        caller.room.local_participant().perform_rpc(call).await?;
        times.push(begun.elapsed());
    }
    if let Some(streaming) = streaming {
        anyhow::ensure!(!streaming.is_finished(), "the stream has ended");
        streaming.abort();
    }
    Ok(times)
}

async fn first_packets(settings: &Settings) -> Result<Vec<Duration>> {
    let server = settings.start()?;
    let sender = Member::join(&server, "sender").await?;
    let sending = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while sender
            .room
            .local_participant()
            .publish_data("now", DataPublishOptions::reliable())
            .await
            .is_ok()
        {
            ticks.tick().await;
        }
    });
    let mut times = Vec::new();
    for number in 0..NEWCOMERS {
        let begun = Instant::now();
        let mut client = LiveClient::start(server.client(&format!("newcomer-{number}"), "figures")).await?;
        let first = client.wait(PATIENCE, |at, event| {
            matches!(event, ClientEvent::Message(ChannelKind::Reliable, _)).then_some(at)
        });
        times.push(first.await.context("the first packet")? - begun);
        client.leave().await?;
    }
    sending.abort();
    Ok(times)
}

/// Time and processor time from its start.
struct Meter<'s> {
    server: &'s ServerProcess,
    begun: Instant,
    of_server: Duration,
    of_clients: Duration,
}

impl<'s> Meter<'s> {
    fn start(server: &'s ServerProcess) -> Result<Self> {
        let of_clients = Process::own().cpu()?;
        Ok(Self { server, begun: Instant::now(), of_server: server.process().cpu()?, of_clients })
    }

    fn row(&self, what: String, bytes: usize) -> Result<Vec<String>> {
        let took = self.begun.elapsed().as_secs_f64();
        let mebibytes = bytes as f64 / MEBIBYTE as f64;
        let of_server = (self.server.process().cpu()? - self.of_server).div_f64(mebibytes);
        let of_clients = (Process::own().cpu()? - self.of_clients).div_f64(mebibytes);
        Ok(vec![
            what,
            format!("{:.1} MiB", mebibytes / took),
            format!("{of_server:.1?}"),
            format!("{of_clients:.1?}"),
        ])
    }
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    format!("{:.1?} / {:.1?}", times[times.len() / 2], times[(times.len() - 1) * 99 / 100])
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    format!("{:.1?} / {:.1?}", times[times.len() / 2], times[times.len() - 1])
}
