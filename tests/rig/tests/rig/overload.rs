//! A server that shares its processor and gets more than it can carry: frames are whole or dropped, and whoever asks is answered.
//! How old frames get at the server is gated in virtual time. Here ages are printed only: they count from the push, and raw
//! publishers, who have no lanes, let frames wait while the server does not read.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::task::JoinHandle;
use tokio::time::interval;
use trackyard_api::{CreateRoom, RoomServiceClient};
use trackyard_rig::flow::{self, Plan, Tally};
use trackyard_rig::{LiveClient, Metrics};

use crate::machine::{alone, in_mode, server};

/// Programs that want the server's processor as well.
const RIVALS: usize = 12;
const PUBLISHERS: usize = 2;
const SUBSCRIBERS: usize = 5;
const DURATION: Duration = Duration::from_secs(6);
/// Frames of each publisher: all together several times what a thirteenth of a processor forwards.
const RATE_HZ: f64 = 1_500.0;
/// How often each who asks does.
const ASK_INTERVAL: Duration = Duration::from_millis(50);
/// What an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Programs that do nothing for as long as they can, on one processor.
struct Rivals {
    ends: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Rivals {
    fn start(count: usize) -> Result<Self> {
        let ends = Arc::new(AtomicBool::new(false));
        let (ids_in, ids) = std::sync::mpsc::channel();
        let threads = (0..count)
            .map(|_| {
                let (ends, ids) = (Arc::clone(&ends), ids_in.clone());
                std::thread::spawn(move || {
                    let own = std::fs::read_link("/proc/thread-self").unwrap();
                    ids.send(own.file_name().unwrap().to_str().unwrap().parse().unwrap()).unwrap();
                    while !ends.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                })
            })
            .collect();
        let rivals = Self { ends, threads };
        for _ in 0..count {
            let id: u32 = ids.recv().context("a rival says who it is")?;
            pin(&[], id)?;
        }
        Ok(rivals)
    }
}

impl Drop for Rivals {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// On the first processor alone; with `-a` all threads of a program.
fn pin(options: &[&str], id: u32) -> Result<()> {
    let pinned = Command::new("taskset").args(options).args(["-cp", "0", &id.to_string()]).output()?;
    ensure!(pinned.status.success(), "{}", String::from_utf8_lossy(&pinned.stderr));
    Ok(())
}

/// Asks for as long as frames flow; answers how long each answer took.
async fn ask(api: &RoomServiceClient, until: Instant) -> Result<Vec<Duration>> {
    let (mut times, mut turns) = (Vec::new(), interval(ASK_INTERVAL));
    while Instant::now() < until {
        turns.tick().await;
        let begin = Instant::now();
        let room = format!("room {}", times.len());
        api.create_room(&CreateRoom { name: room, ..CreateRoom::default() }).await?;
        times.push(begin.elapsed());
        let begin = Instant::now();
        let there = api.list_participants("full").await?;
        ensure!(there.len() > SUBSCRIBERS, "{} are there", there.len());
        times.push(begin.elapsed());
    }
    Ok(times)
}

fn receive(mut subscriber: LiveClient, sid: String, until: Instant) -> JoinHandle<Result<Tally>> {
    tokio::spawn(async move { flow::collect(&mut subscriber, &sid, until).await })
}

fn permille(times: &mut [Duration], permille: usize) -> Duration {
    times.sort_unstable();
    times.get((times.len().max(1) - 1) * permille / 1_000).copied().unwrap_or(Duration::MAX)
}

/// Publishes one track after the other, which goes through the room and a worker, for as long as frames flow.
async fn signal(mut client: LiveClient, until: Instant) -> Result<Vec<Duration>> {
    let (mut times, mut turns) = (Vec::new(), interval(ASK_INTERVAL));
    for handle in 100.. {
        turns.tick().await;
        if Instant::now() >= until {
            break;
        }
        let begin = Instant::now();
        client.publish(handle, &format!("track {handle}")).await?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_answers_and_what_it_delivers_is_whole() {
    let _machine = alone().await;
    let server = server("workers: 1");
    let (mut sids, mut publishers, mut subscribers) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..PUBLISHERS {
        let config = in_mode(true, server.client(&format!("p{number}"), "full"));
        let (mut publisher, _) = LiveClient::join(config).await.unwrap();
        sids.push(publisher.publish(1, &format!("frames {number}")).await.unwrap());
        publishers.push(publisher);
    }
    for (number, sid) in (0..SUBSCRIBERS).flat_map(|number| sids.iter().map(move |sid| (number, sid))) {
        let config = in_mode(true, server.client(&format!("s{number} {sid}"), "full"));
        let (mut subscriber, _) = LiveClient::join(config).await.unwrap();
        subscriber.subscribe(sid).await.unwrap();
        subscribers.push((subscriber, sid.clone()));
    }
    let (caller, _) = LiveClient::join(in_mode(true, server.client("caller", "full"))).await.unwrap();
    let api = RoomServiceClient::new(&format!("ws://{}", server.http()), "devkey", "secret").unwrap();

    pin(&["-a"], server.process().id()).unwrap();
    let rivals = Rivals::start(RIVALS).unwrap();
    let end = Instant::now() + DURATION;
    let receivers: Vec<_> = subscribers
        .into_iter()
        .map(|(subscriber, sid)| receive(subscriber, sid, end + Duration::from_secs(1)))
        .collect();
    let plan = Plan { handle: 1, bytes: 600, rate_hz: RATE_HZ, duration: DURATION };
    let senders: Vec<_> = publishers
        .into_iter()
        .map(|publisher| tokio::spawn(async move { flow::send(&publisher, plan).await }))
        .collect();
    let (asked, signalled) = tokio::join!(ask(&api, end), signal(caller, end));
    for sender in senders {
        sender.await.unwrap().unwrap();
    }
    let mut tallies = Vec::new();
    for receiver in receivers {
        tallies.push(receiver.await.unwrap().unwrap());
    }
    let metrics = server.metrics().await.unwrap();
    drop(rivals);

    let (mut asked, mut signalled) = (asked.unwrap(), signalled.unwrap());
    let mut ages: Vec<_> = tallies.iter().flat_map(|tally| &tally.ages).copied().collect();
    let due = plan.frames() as f64 * tallies.len() as f64;
    println!("figure: overload, delivered = {:.2} of what was due", ages.len() as f64 / due);
    for (name, times) in [("ages", &mut ages), ("API", &mut asked), ("publishing a track", &mut signalled)] {
        let [p50, p95, p99, max] = [500, 950, 990, 1_000].map(|at| permille(times, at));
        println!(
            "figure: overload, {name}, p50, p95, p99 and max of {} = {p50:.1?}, {p95:.1?}, {p99:.1?}, {max:.1?}",
            times.len()
        );
    }
    println!("figure: overload, lost to = {}", losses(&metrics));
    assert!(tallies.iter().all(Tally::is_clean), "nothing but whole frames in their order");
    assert!((ages.len() as f64) < 0.9 * due, "it is no overload");
    assert!(tallies.iter().all(|tally| tally.intact > 0), "everyone has some");
    assert!(permille(&mut asked, 990) < ANSWER_MAX && permille(&mut signalled, 990) < ANSWER_MAX);
}

/// What has become of frames that were not delivered.
fn losses(metrics: &Metrics) -> String {
    let [refused, unread] =
        ["worker_frames_refused", "worker_datagrams_unread"].map(|name| metrics.counter(name));
    let wait = metrics.get("trackyard_worker_wait_seconds", r#"worker="0""#);
    format!("refused {refused}, datagrams unread {unread}, last wait {wait} s, lanes {:?}", metrics.drops())
}
