//! A robot and its operator as processes of their own, against a real server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "figures beside a failure")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use trackyard::{DataTrackFrame, DataTrackStream, LocalDataTrack, PushFrameError, Room, RoomOptions};
use trackyard_relay::{LinkConfig, Relay, RelayConfig};
use trackyard_rig::{Program, Site, token};

/// Everything a test waits for comes within this, or the test fails.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// As the robot has them.
const DEADLINE: Duration = Duration::from_millis(300);
const AGE_MAX_MS: u64 = 200;
/// What a busy machine may add to a deadline.
const TOLERANCE: Duration = Duration::from_millis(400);

fn start(address: std::net::SocketAddr, identity: &str) -> Program {
    let url = format!("ws://{address}");
    let mode = if identity == "robot" { "robot" } else { "operator" };
    Program::start(env!("CARGO_BIN_EXE_teleop"), (&url, &token(identity, "yard")), &[mode]).unwrap()
}

async fn join(address: std::net::SocketAddr, identity: &str) -> Room {
    let url = format!("ws://{address}");
    let (room, _events) = Room::connect(&url, token(identity, "yard"), RoomOptions::new()).await.unwrap();
    room
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(WAIT_MAX, future).await.expect("it comes in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_robot_stops_when_its_operator_is_killed_and_goes_on_when_it_is_back() {
    let site = Site::start("").await.unwrap();
    let mut robot = start(site.http(), "robot");
    let mut operator = start(site.http(), "operator");
    robot.line("driven by operator", WAIT_MAX).await.unwrap();
    operator.line("0.50 m/s", WAIT_MAX).await.unwrap();
    let killed = Instant::now();
    operator.kill().unwrap();
    let stopped = robot.line("stopped: no command for", WAIT_MAX).await.unwrap();
    let took = stopped.at - killed;
    println!("{} ({took:?} after it was killed)", stopped.text);
    assert!(took < DEADLINE + TOLERANCE, "{took:?}: {}", stopped.text);
    assert!(stopped.text.contains("dead"), "it is in the room still: {}", stopped.text);
    // The server gives up on it in the end, and gives the robot what it has left.
    let told = robot.line("the operator has vanished", 3 * WAIT_MAX).await.unwrap();
    println!("last will {:?} after it was killed", told.at - killed);
    let _operator = start(site.http(), "operator");
    robot.line("driven by operator", WAIT_MAX).await.unwrap();
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_is_back_at_once_is_obeyed_again_until_it_leaves() {
    let site = Site::start("").await.unwrap();
    let mut robot = start(site.http(), "robot");
    let mut operator = start(site.http(), "operator");
    robot.line("driven by operator", WAIT_MAX).await.unwrap();
    operator.kill().unwrap();
    robot.line("stopped: no command for", WAIT_MAX).await.unwrap();
    // The server still has the one that was killed, which it takes for the same participant.
    let mut operator = start(site.http(), "operator");
    robot.line("driven by operator", WAIT_MAX).await.unwrap();
    // One that leaves says so.
    operator.interrupt().unwrap();
    assert!(operator.ended(WAIT_MAX).await.unwrap().success());
    robot.line("the operator has left the room", WAIT_MAX).await.unwrap();
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_robot_stops_while_either_link_is_down() {
    let site = Site::start("").await.unwrap();
    for (cut, reason) in [("operator", "dead"), ("robot", "")] {
        let relay = Relay::start(RelayConfig::new(site.http())).await.unwrap();
        let address = |identity| if identity == cut { relay.address() } else { site.http() };
        let mut robot = start(address("robot"), "robot");
        let _operator = start(address("operator"), "operator");
        robot.line("driven by operator", WAIT_MAX).await.unwrap();
        let down = Instant::now();
        relay.set_up(false);
        let stopped = robot.line("stopped: no command for", WAIT_MAX).await.unwrap();
        let took = stopped.at - down;
        assert!(took < DEADLINE + TOLERANCE, "{took:?}: {}", stopped.text);
        assert!(stopped.text.contains(reason), "{}", stopped.text);
        relay.set_up(true);
        robot.line("driven by operator", 2 * WAIT_MAX).await.unwrap();
    }
    site.stop().await;
}

/// An operator's command of this age, as soon as the track takes it.
fn push(commands: &LocalDataTrack, linear: f64, age_ms: u64) {
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let frame = DataTrackFrame::new(format!(r#"{{"linear":{linear},"angular":0}}"#));
    match commands.try_push(frame.with_user_timestamp(now - age_ms)) {
        Ok(()) | Err(PushFrameError::Dropped { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// The robot's speed, twenty times a second.
async fn speed(telemetry: &mut DataTrackStream) -> f64 {
    let frame = within(telemetry.next()).await.unwrap();
    let telemetry: serde_json::Value = serde_json::from_slice(frame.payload()).unwrap();
    telemetry["speed"].as_f64().unwrap()
}

async fn telemetry(room: &Room) -> DataTrackStream {
    let track = within(room.data_tracks_of("robot").get_deferred("telemetry")).await.unwrap();
    within(track.subscribe()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_commands_and_those_that_make_no_sense_are_not_obeyed() {
    let site = Site::start("").await.unwrap();
    let mut robot = start(site.http(), "robot");
    let operator = join(site.http(), "operator").await;
    let commands = operator.local_participant().publish_data_track("cmd_vel").await.unwrap();
    let mut telemetry = telemetry(&operator).await;
    robot.line("ready", WAIT_MAX).await.unwrap();
    // Too old ones count as none: the robot does not move, and its deadline passes.
    let pushes = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            push(&commands, 0.5, AGE_MAX_MS + 100);
        }
    };
    tokio::select! {
        () = pushes => {}
        stopped = robot.line("commands come too late", WAIT_MAX) => drop(stopped.unwrap()),
    }
    assert_eq!(speed(&mut telemetry).await, 0.0);
    assert!(!robot.seen().iter().any(|line| line.contains("driven")), "{:?}", robot.seen());
    // One that is fresh is obeyed; whatever is none stops the robot.
    for (payload, age_ms) in [("no velocity", 0), (r#"{"linear":0.5,"angular":0}"#, 86_400_000 * 2)] {
        push(&commands, 0.5, 0);
        robot.line("driven by operator", WAIT_MAX).await.unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let stamp = u64::try_from(now).unwrap() - age_ms;
        commands.try_push(DataTrackFrame::new(payload).with_user_timestamp(stamp)).unwrap();
        robot.line("a command cannot be obeyed", WAIT_MAX).await.unwrap();
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_overtake_each_other_do_not_take_the_robot_back() {
    let site = Site::start("").await.unwrap();
    let detours = LinkConfig { detours: 0.5, ..LinkConfig::default() };
    let relay = Relay::start(RelayConfig { up: detours, ..RelayConfig::new(site.http()) }).await.unwrap();
    let mut robot = start(site.http(), "robot");
    let operator = join(relay.address(), "operator").await;
    let commands = operator.local_participant().publish_data_track("cmd_vel").await.unwrap();
    let mut telemetry = telemetry(&operator).await;
    robot.line("ready", WAIT_MAX).await.unwrap();
    // Faster and faster, and so often that every other command is overtaken.
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    let (mut pushed, mut seen) = (0.0, 0.0);
    while pushed < 1.0 {
        tokio::select! {
            _ = ticks.tick() => {
                pushed += 0.000_5;
                push(&commands, pushed, 0);
            }
            now = speed(&mut telemetry) => {
                assert!(now >= seen, "the robot went back from {seen} to {now}");
                seen = now;
            }
        }
    }
    assert!(seen > 0.5, "it was hardly driven: {seen}");
    site.stop().await;
}
