//! Calls between two clients.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use trackyard::{
    E2eeOptions, PerformRpc, Room, RoomEvents, RoomOptions, RpcError, RpcErrorCode, StreamByteOptions,
};
use trackyard_rig::Site;

use crate::room::{join, options, within};
use crate::streams::known;

struct Pair {
    site: Site,
    caller: Room,
    callee: Room,
    /// A room goes on for as long as somebody wants to hear of it.
    _events: [RoomEvents; 2],
}

impl Pair {
    async fn join(with: impl Fn() -> RoomOptions) -> Self {
        let site = Site::start("").await.unwrap();
        let (caller, of_caller) = join(site.http(), "caller", with()).await;
        let (callee, of_callee) = join(site.http(), "callee", with()).await;
        known(&caller, "callee").await;
        known(&callee, "caller").await;
        Self { site, caller, callee, _events: [of_caller, of_callee] }
    }

    async fn call(&self, method: &str, payload: &str) -> Result<String, RpcError> {
        let call = PerformRpc::new("callee", method).with_payload(payload);
        within(self.caller.local_participant().perform_rpc(call)).await
    }

    async fn end(self) {
        within(self.caller.close()).await;
        within(self.callee.close()).await;
        self.site.stop().await;
    }
}

async fn calls_are_answered(with: impl Fn() -> RoomOptions) {
    let pair = Pair::join(with).await;
    let echo = |call: trackyard::RpcInvocationData| async move {
        assert_eq!((&*call.caller_identity, call.response_timeout), ("caller", Duration::from_secs(15)));
        match &*call.payload {
            "fail" => Err(RpcError::new(101, "failed", "as it was told")),
            payload => Ok(format!("{payload} back")),
        }
    };
    pair.callee.register_rpc_method("echo", echo).unwrap();
    assert!(pair.callee.register_rpc_method("echo", echo).is_err());
    for payload in ["", "hello", &"x".repeat(10_000), &"large ".repeat(50_000)] {
        assert!(pair.call("echo", payload).await.unwrap() == format!("{payload} back"));
    }
    assert_eq!(pair.call("echo", "fail").await, Err(RpcError::new(101, "failed", "as it was told")));
    assert_eq!(pair.call("none", "").await, Err(RpcErrorCode::UnsupportedMethod.into()));
    pair.callee.unregister_rpc_method("echo");
    assert_eq!(pair.call("echo", "").await, Err(RpcErrorCode::UnsupportedMethod.into()));
    let (called, answered) = (pair.caller.stats().rpc, pair.callee.stats().rpc);
    assert_eq!((called.called, called.answered, called.unexpected), (7, 7, 0));
    assert_eq!((answered.invoked, pair.callee.stats().lost), (5, 0));
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_answered_with_one_connection() {
    calls_are_answered(|| options(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_answered_with_two_connections() {
    calls_are_answered(|| options(false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_answered_encrypted() {
    calls_are_answered(|| {
        options(true).with_encryption(E2eeOptions::with_passphrase("of the yard").unwrap())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_call_each_other_from_within_their_methods() {
    let pair = Pair::join(|| options(true)).await;
    let callee = pair.callee.local_participant();
    pair.callee
        .register_rpc_method("ask back", move |call| {
            let callee = callee.clone();
            async move { callee.perform_rpc(PerformRpc::new(call.caller_identity, "name")).await }
        })
        .unwrap();
    pair.caller.register_rpc_method("name", |_| async { Ok("I am the caller".to_owned()) }).unwrap();
    assert_eq!(pair.call("ask back", "").await.unwrap(), "I am the caller");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_does_not_answer_is_waited_for_as_long_as_was_said() {
    let pair = Pair::join(|| options(true)).await;
    pair.callee.register_rpc_method("never", |_| std::future::pending()).unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(300)] {
        let begin = Instant::now();
        let call = PerformRpc::new("callee", "never").with_response_timeout(timeout);
        let error = within(pair.caller.local_participant().perform_rpc(call)).await.unwrap_err();
        assert_eq!(error.kind(), Some(RpcErrorCode::ResponseTimeout));
        assert!(begin.elapsed() >= timeout);
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_reached_within_seven_seconds() {
    let pair = Pair::join(|| options(true)).await;
    let begin = Instant::now();
    let call = PerformRpc::new("nobody", "name");
    let error = within(pair.caller.local_participant().perform_rpc(call)).await.unwrap_err();
    assert_eq!(error.kind(), Some(RpcErrorCode::ConnectionTimeout));
    assert!((7..9).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_leaves_does_not_answer() {
    let pair = Pair::join(|| options(true)).await;
    let called = Arc::new(Notify::new());
    let tell = Arc::clone(&called);
    pair.callee
        .register_rpc_method("never", move |_| {
            tell.notify_one();
            std::future::pending()
        })
        .unwrap();
    let leave = async {
        called.notified().await;
        pair.callee.close().await;
    };
    let (result, ()) = within(async { tokio::join!(pair.call("never", ""), leave) }).await;
    assert_eq!(result, Err(RpcErrorCode::RecipientDisconnected.into()));
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_left_ends_its_calls() {
    let pair = Pair::join(|| options(true)).await;
    let called = Arc::new(Notify::new());
    let tell = Arc::clone(&called);
    pair.callee
        .register_rpc_method("never", move |_| {
            tell.notify_one();
            std::future::pending()
        })
        .unwrap();
    let leave = async {
        called.notified().await;
        pair.caller.close().await;
    };
    let (result, ()) = within(async { tokio::join!(pair.call("never", ""), leave) }).await;
    assert_eq!(result, Err(RpcErrorCode::RecipientDisconnected.into()));
    assert_eq!(pair.call("never", "").await.unwrap_err().kind(), Some(RpcErrorCode::SendFailed));
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_panics_has_failed_and_others_go_on() {
    let pair = Pair::join(|| options(true)).await;
    pair.callee.register_rpc_method("panics", |_| async { panic!("as it was told") }).unwrap();
    pair.callee.register_rpc_method("works", |_| async { Ok("works".to_owned()) }).unwrap();
    assert_eq!(pair.call("panics", "").await, Err(RpcErrorCode::ApplicationError.into()));
    assert_eq!(pair.call("works", "").await.unwrap(), "works");
    pair.end().await;
}

/// Calls while 32 MB are on their way that nobody reads and that began before the calls do: how many, and the slowest.
async fn calls_beside_streams_of(pair: &Pair, sender: &Room) -> (u32, Duration) {
    pair.callee.register_rpc_method("echo", |call| async move { Ok(call.payload) }).unwrap();
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let sender = sender.local_participant();
        streams.spawn(async move {
            let options = StreamByteOptions::new("bulk").with_destination("callee").without_compression();
            sender.send_bytes(vec![7; 4_000_000], options).await
        });
    }
    let (mut calls, mut slowest) = (0, Duration::ZERO);
    while !streams.is_empty() {
        let begin = Instant::now();
        assert_eq!(pair.call("echo", "now").await.unwrap(), "now");
        slowest = slowest.max(begin.elapsed());
        calls += 1;
        while let Some(sent) = streams.try_join_next() {
            sent.unwrap().unwrap();
        }
    }
    println!("{calls} calls beside 32 MB of streams, the slowest in {slowest:?}");
    (calls, slowest)
}

fn check((calls, slowest): (u32, Duration)) {
    assert!(calls >= 3, "the streams were over before");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_overtake_this_participants_own_streams() {
    let pair = Pair::join(|| options(true)).await;
    check(calls_beside_streams_of(&pair, &pair.caller).await);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_do_not_wait_for_the_streams_of_others() {
    let pair = Pair::join(|| options(true)).await;
    let (other, _events) = join(pair.site.http(), "other", options(true)).await;
    known(&other, "callee").await;
    check(calls_beside_streams_of(&pair, &other).await);
    within(other.close()).await;
    pair.end().await;
}
