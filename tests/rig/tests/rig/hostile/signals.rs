//! Participants whose signalling is not what it should be.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::{
    DataSubscription, LeaveAction, PublishDataTrack, SessionDescription, SignalTarget, SubscriptionOptions,
    Trickle,
};
use trackyard_proto::{Request, Response};
use trackyard_rig::{SignalEnd, SignalSocket};

use super::Target;

/// Every answer comes within this.
const PATIENCE: Duration = Duration::from_secs(15);
/// Requests of one flood.
const FLOOD: u32 = 1_000;
const ROUND_EVERY: Duration = Duration::from_millis(250);

async fn join(target: &Target, identity: &str) -> SignalSocket {
    let config = target.stranger(identity);
    let request = JoinRequest::default();
    let mut signal = SignalSocket::connect(&config.url, &config.token, (&request, false)).await.unwrap();
    let first = signal.recv().await.unwrap();
    assert!(matches!(first, Some(Response::Join(_))), "{first:?}");
    signal
}

/// The next message that `pick` makes something of; `None` if the connection ends before.
async fn next<T>(signal: &mut SignalSocket, mut pick: impl FnMut(Response) -> Option<T>) -> Option<T> {
    let found = async {
        loop {
            if let Some(found) = pick(signal.recv().await.unwrap()?) {
                return Some(found);
            }
        }
    };
    timeout(PATIENCE, found).await.expect("an answer in time")
}

/// The server still serves this connection.
async fn is_served(signal: &mut SignalSocket) {
    signal.send(&Request::Ping(1)).await.unwrap();
    let mut told = None;
    let pong = next(signal, |response| match response {
        Response::Pong(_) => Some(()),
        Response::Leave { .. } => {
            told = Some(response);
            None
        }
        _ => None,
    });
    assert!(pong.await.is_some(), "{:?} {told:?}", signal.end());
}

async fn end(signal: &mut SignalSocket) -> SignalEnd {
    let ended = next(signal, |_| None::<()>).await;
    assert_eq!(ended, None);
    signal.end()
}

/// Repeats an attack until the time is up.
async fn repeat(target: Target, attack: impl AsyncFn(&Target)) -> u64 {
    let (mut rounds, mut count) = (interval(ROUND_EVERY), 0);
    while !target.is_over() {
        rounds.tick().await;
        attack(&target).await;
        count += 1;
    }
    count
}

/// A few are forgiven; then the connection is closed and the client knows why.
pub(super) async fn undecodable(target: Target) -> u64 {
    repeat(target, async |target| {
        let mut signal = join(target, "undecodable").await;
        signal.send_frame(Message::Binary(vec![0xff; 100].into())).await.unwrap();
        is_served(&mut signal).await;
        for _ in 0..20 {
            // The server may have closed already.
            let _ = signal.send_frame(Message::Binary(vec![0xff; 100].into())).await;
        }
        assert_eq!(end(&mut signal).await, SignalEnd::Closed(1007));
    })
    .await
}

/// Texts that blow up in a careless decoder.
pub(super) async fn bombs(target: Target) -> u64 {
    repeat(target, async |target| {
        let mut signal = join(target, "bomber").await;
        for bomb in [
            "[".repeat(1_000_000),
            "{\"offer\":".repeat(100_000),
            format!("{{\"ping\":{}}}", "9".repeat(500_000)),
            format!("{{\"updateSubscription\":{{\"trackSids\":[{}\"\"]}}}}", "\"\",".repeat(100_000)),
        ] {
            signal.send_frame(Message::Text(bomb.into())).await.unwrap();
        }
        is_served(&mut signal).await;
    })
    .await
}

/// More than 2 MiB is not taken.
pub(super) async fn oversize(target: Target) -> u64 {
    repeat(target, async |target| {
        let mut signal = join(target, "oversize").await;
        let _ = signal.send_frame(Message::Binary(vec![0; 3 * 1024 * 1024].into())).await;
        assert_ne!(end(&mut signal).await, SignalEnd::Open);
    })
    .await
}

/// Each wish that cannot be granted is refused.
pub(super) async fn publish_flood(target: Target) -> u64 {
    repeat(target, async |target| {
        let mut signal = join(target, "publisher-of-nothing").await;
        for number in 0..FLOOD {
            let (handle, name) = match number % 3 {
                0 => (0, "zero".to_owned()),
                1 => (70_000 + number, "far".to_owned()),
                _ => (number, String::new()),
            };
            signal.send(&Request::PublishDataTrack(PublishDataTrack::new(handle, name))).await.unwrap();
        }
        let mut refused = 0;
        next(&mut signal, |response| {
            refused += u32::from(matches!(response, Response::RequestResponse { .. }));
            (refused == FLOOD).then_some(())
        })
        .await
        .expect("each is refused");
    })
    .await
}

/// Wishes for tracks that are not there.
pub(super) async fn subscribe_flood(target: Target) -> u64 {
    repeat(target, async |target| {
        let mut signal = join(target, "subscriber-of-nothing").await;
        for round in 0..5 {
            let updates = (0..FLOOD).map(|number| DataSubscription {
                track_sid: format!("DTR_{round}_{number}"),
                subscribe: true,
                options: SubscriptionOptions::default(),
            });
            signal.send(&Request::UpdateDataSubscription(updates.collect())).await.unwrap();
        }
        is_served(&mut signal).await;
    })
    .await
}

/// Candidates that are none are counted; a description that is none ends the session, with a word.
pub(super) async fn bad_descriptions(target: Target) -> u64 {
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    repeat(target, async |target| {
        // Each as somebody else: what becomes of one who comes back at once is for tests of that.
        let name: &'static str = format!("describer-{}", ROUNDS.fetch_add(1, Ordering::Relaxed)).leak();
        let mut signal = join(target, name).await;
        for init in ["", "{", "{\"candidate\":\"candidate:x\"}", "[]", "{\"candidate\":5}"] {
            let trickle =
                Trickle { candidate_init: init.to_owned(), target: SignalTarget::Publisher, last: false };
            signal.send(&Request::Trickle(trickle)).await.unwrap();
        }
        is_served(&mut signal).await;
        let sdp = "v=0\r\nm=application 9 UDP/DTLS/SCTP \u{0}garbage".to_owned();
        let offer = SessionDescription { id: 1, sdp, ..SessionDescription::default() };
        signal.send(&Request::Offer(offer)).await.unwrap();
        let action = next(&mut signal, |response| match response {
            Response::Leave { action, .. } => Some(action),
            _ => None,
        });
        assert_eq!(action.await, Some(LeaveAction::Reconnect));
        assert_eq!(end(&mut signal).await, SignalEnd::Closed(1000));
    })
    .await
}
