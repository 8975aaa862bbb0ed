//! Text and byte streams between two clients.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use trackyard::{
    ByteStreamReader, E2eeOptions, Encryption, PerformRpc, Room, RoomEvent, RoomEvents, RoomOptions,
    RpcErrorCode, SendStreamError, StreamByteOptions, StreamError, StreamTextOptions, TextStreamReader,
};
use trackyard_relay::{Relay, RelayConfig};
use trackyard_rig::Site;

use crate::room::{event_within, join, options, within};

/// Two in a room; `b` is handed what comes under `topic`.
struct Pair {
    site: Site,
    a: Room,
    b: Room,
    /// A room goes on for as long as somebody wants to hear of it.
    _events: [RoomEvents; 2],
    texts: mpsc::UnboundedReceiver<(TextStreamReader, String)>,
    bytes: mpsc::UnboundedReceiver<(ByteStreamReader, String)>,
}

impl Pair {
    async fn join(with: impl Fn() -> RoomOptions) -> Self {
        let site = Site::start("").await.unwrap();
        let (a, of_a) = join(site.http(), "a", with()).await;
        let (b, of_b) = join(site.http(), "b", with()).await;
        known(&a, "b").await;
        let (texts, bytes) = listen(&b);
        Self { site, a, b, _events: [of_a, of_b], texts, bytes }
    }

    async fn text(&mut self) -> TextStreamReader {
        let (reader, sender) = within(self.texts.recv()).await.unwrap();
        assert_eq!(sender, "a");
        reader
    }

    async fn bytes(&mut self) -> ByteStreamReader {
        let (reader, sender) = within(self.bytes.recv()).await.unwrap();
        assert_eq!(sender, "a");
        reader
    }

    async fn end(self) {
        within(self.a.close()).await;
        within(self.b.close()).await;
        self.site.stop().await;
    }
}

type Listening = (
    mpsc::UnboundedReceiver<(TextStreamReader, String)>,
    mpsc::UnboundedReceiver<(ByteStreamReader, String)>,
);

fn listen(room: &Room) -> Listening {
    let (texts, of_texts) = mpsc::unbounded_channel();
    let (bytes, of_bytes) = mpsc::unbounded_channel();
    room.register_text_stream_handler("topic", move |reader, sender| {
        texts.send((reader, sender)).unwrap();
        async {}
    })
    .unwrap();
    room.register_byte_stream_handler("topic", move |reader, sender| {
        bytes.send((reader, sender)).unwrap();
        async {}
    })
    .unwrap();
    (of_texts, of_bytes)
}

/// Waits until one has heard of the other, and of what it can read.
pub(crate) async fn known(room: &Room, identity: &str) {
    let there = async {
        while room.remote_participant(identity).is_none() {
            tokio::task::yield_now().await;
        }
    };
    within(there).await;
}

/// What does not compress well.
fn noise(bytes: usize) -> String {
    let mut rng = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| rng.alphanumeric()).take(bytes).collect()
}

async fn texts_arrive(with: impl Fn() -> RoomOptions, encryption: Encryption) {
    let mut pair = Pair::join(with).await;
    let me = pair.a.local_participant();
    for text in [String::new(), "hello 🤖".to_owned(), noise(200_000), "again ".repeat(100_000)] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let options = StreamTextOptions::new("topic")
            .with_destination("b")
            .with_attribute("language", "en")
            .with_progress(move |sent| record.lock().unwrap().push(sent));
        let sent = within(me.send_text(text.clone(), options)).await.unwrap();
        let reader = pair.text().await;
        let info = reader.info().clone();
        assert_eq!((&*info.id, &*info.topic, &*info.mime_type), (&*sent.id, "topic", "text/plain"));
        assert_eq!(info.attributes, BTreeMap::from([("language".to_owned(), "en".to_owned())]));
        assert_eq!(info.encryption, encryption);
        assert!(within(reader.read_all()).await.unwrap() == text);
        let seen = seen.lock().unwrap();
        assert!(seen.is_sorted());
        assert_eq!(seen.last(), Some(&1.0));
    }
    assert_eq!(pair.b.stats().streams.opened, 4);
    assert_eq!(pair.b.stats().streams.failed, 0);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_arrive_with_one_connection() {
    texts_arrive(|| options(true), Encryption::None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_arrive_with_two_connections() {
    texts_arrive(|| options(false), Encryption::None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_arrive_encrypted() {
    let encrypted = || options(true).with_encryption(E2eeOptions::with_passphrase("of the yard").unwrap());
    texts_arrive(encrypted, Encryption::Gcm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_written_is_read_as_it_is_written() {
    let mut pair = Pair::join(|| options(true)).await;
    let me = pair.a.local_participant();
    let mut writer = within(me.stream_text(StreamTextOptions::new("topic"))).await.unwrap();
    let mut reader = pair.text().await;
    assert_eq!(reader.progress(), None);
    for word in ["one ", "two ", "thrée"] {
        within(writer.write(word)).await.unwrap();
        assert_eq!(within(reader.next()).await.unwrap().unwrap(), word);
    }
    let end = BTreeMap::from([("end".to_owned(), "yes".to_owned())]);
    within(writer.close_with(end.clone())).await.unwrap();
    assert!(within(reader.next()).await.is_none());
    assert_eq!(reader.info().attributes, end);
    assert!(within(reader.next()).await.is_none(), "an end stays one");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_dropped_ends_the_text_with_an_error() {
    let mut pair = Pair::join(|| options(true)).await;
    let me = pair.a.local_participant();
    let mut writer = within(me.stream_text(StreamTextOptions::new("topic"))).await.unwrap();
    within(writer.write("half of")).await.unwrap();
    drop(writer);
    let error = within(pair.text().await.read_all()).await.unwrap_err();
    assert_eq!(error, StreamError::Aborted { reason: "dropped by the sender".to_owned() });
    let options = StreamByteOptions::new("topic").with_total_length(10);
    let mut writer = within(me.stream_bytes(options)).await.unwrap();
    within(writer.write("12345")).await.unwrap();
    within(writer.close()).await.unwrap();
    let error = within(pair.bytes().await.read_all()).await.unwrap_err();
    assert_eq!(error, StreamError::Aborted { reason: "incomplete".to_owned() });
    pair.end().await;
}

/// A file of this test, gone with it.
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("trackyard-{}-{name}", std::process::id())))
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_arrive_as_they_were() {
    let mut pair = Pair::join(|| options(true)).await;
    let me = pair.a.local_participant();
    let mut rng = fastrand::Rng::with_seed(3);
    let random: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(5_000_000).collect();
    let even = vec![b'x'; 3_000_000];
    for (name, contents) in [("random.bin", random), ("even.txt", even), ("empty", Vec::new())] {
        let (sent, received) = (TestFile::new(name), TestFile::new(&format!("{name}-received")));
        std::fs::write(&sent.0, &contents).unwrap();
        let options = StreamByteOptions::new("topic").with_mime_type("a/b").with_destination("b");
        let sending = me.send_file(&sent.0, options);
        let receiving = async {
            let reader = pair.bytes().await;
            let info = reader.info().clone();
            assert_eq!(reader.write_to_file(&received.0).await.unwrap(), contents.len() as u64);
            info
        };
        let (sent_info, info) = within(async { tokio::join!(sending, receiving) }).await;
        let sent_info = sent_info.unwrap();
        assert_eq!((info.id.as_str(), info.mime_type.as_str()), (&*sent_info.id, "a/b"));
        assert_eq!(info.name(), sent.0.file_name().unwrap().to_str().unwrap());
        assert!(std::fs::read(&received.0).unwrap() == contents);
    }
    let error = within(me.send_file("/nowhere/at-all", StreamByteOptions::new("topic"))).await.unwrap_err();
    assert!(matches!(error, SendStreamError::Io(_)), "{error}");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_have_progress_on_both_sides() {
    let mut pair = Pair::join(|| options(true)).await;
    let me = pair.a.local_participant();
    let bytes: Vec<u8> = noise(150_000).into_bytes();
    let options = StreamByteOptions::new("topic").with_name("noise").without_compression();
    within(me.send_bytes(bytes.clone(), options)).await.unwrap();
    let mut reader = pair.bytes().await;
    assert_eq!(reader.info().name(), "noise");
    let (mut read, mut progress) = (Vec::new(), vec![0.0]);
    while let Some(piece) = within(reader.next()).await {
        read.extend_from_slice(&piece.unwrap());
        progress.push(reader.progress().unwrap());
    }
    assert!(read == bytes);
    assert!(progress.is_sorted());
    assert!(progress.len() >= 10, "{progress:?}");
    assert_eq!((progress.last(), reader.bytes_received()), (Some(&1.0), 150_000));
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_leaves_ends_what_it_has_begun() {
    let mut pair = Pair::join(|| options(true)).await;
    let mut writer =
        within(pair.a.local_participant().stream_text(StreamTextOptions::new("topic"))).await.unwrap();
    within(writer.write("half of")).await.unwrap();
    let mut reader = pair.text().await;
    assert_eq!(within(reader.next()).await.unwrap().unwrap(), "half of");
    within(pair.a.close()).await;
    assert_eq!(within(reader.next()).await, Some(Err(StreamError::SenderLeft)));
    assert!(within(reader.next()).await.is_none());
    assert!(within(writer.write("more")).await.is_err());
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_learns_that_its_own_room_was_left() {
    let mut pair = Pair::join(|| options(true)).await;
    let me = pair.a.local_participant();
    let _writer = within(me.stream_text(StreamTextOptions::new("topic"))).await.unwrap();
    let mut reader = pair.text().await;
    let (end, ()) = within(async { tokio::join!(reader.next(), pair.b.close()) }).await;
    assert_eq!(end, Some(Err(StreamError::SenderLeft)));
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_have_one_handler_and_none_after_it_was_taken_back() {
    let mut pair = Pair::join(|| options(true)).await;
    let error = pair.b.register_text_stream_handler("topic", |_, _| async {}).unwrap_err();
    assert_eq!(error.topic, "topic");
    pair.b.unregister_text_stream_handler("topic");
    let me = pair.a.local_participant();
    within(me.send_text("to nobody", StreamTextOptions::new("topic"))).await.unwrap();
    within(me.send_bytes("to b", StreamByteOptions::new("topic"))).await.unwrap();
    assert_eq!(within(pair.bytes().await.read_all()).await.unwrap(), "to b");
    assert!(pair.texts.try_recv().is_err());
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_its_handler_waits_for_it_at_first() {
    let site = Site::start("").await.unwrap();
    let (a, _of_a) = join(site.http(), "a", options(true)).await;
    let (b, _of_b) = join(site.http(), "b", options(true)).await;
    known(&a, "b").await;
    let text = noise(100_000);
    within(a.local_participant().send_text(text.clone(), StreamTextOptions::new("topic"))).await.unwrap();
    while b.stats().streams.opened == 0 {
        tokio::task::yield_now().await;
    }
    let (mut texts, _bytes) = listen(&b);
    let (reader, _) = within(texts.recv()).await.unwrap();
    assert!(within(reader.read_all()).await.unwrap() == text);
    within(a.close()).await;
    within(b.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_one_is_not_for_others() {
    let mut pair = Pair::join(|| options(true)).await;
    let (c, _events) = join(pair.site.http(), "c", options(true)).await;
    known(&pair.a, "c").await;
    let (mut texts, _bytes) = listen(&c);
    let me = pair.a.local_participant();
    within(me.send_text("for b", StreamTextOptions::new("topic").with_destination("b"))).await.unwrap();
    within(me.send_text("for all", StreamTextOptions::new("topic"))).await.unwrap();
    assert_eq!(within(pair.text().await.read_all()).await.unwrap(), "for b");
    assert_eq!(within(pair.text().await.read_all()).await.unwrap(), "for all");
    let (reader, _) = within(texts.recv()).await.unwrap();
    assert_eq!(within(reader.read_all()).await.unwrap(), "for all");
    within(c.close()).await;
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_at_once_come_whole() {
    const STREAMS: usize = 40;
    let mut pair = Pair::join(|| options(true)).await;
    let me = pair.a.local_participant();
    let contents: Vec<String> = (0..STREAMS).map(|number| format!("{number}:{}", noise(60_000))).collect();
    let sending = contents.iter().map(|text| {
        let options = StreamTextOptions::new("topic").without_compression();
        me.send_text(text.clone(), options)
    });
    let receiving = async {
        let mut all = Vec::new();
        for _ in 0..STREAMS {
            all.push(pair.text().await.read_all().await.unwrap());
        }
        all
    };
    let sent = futures_util::future::join_all(sending);
    let (sent, mut received) = within(async { tokio::join!(sent, receiving) }).await;
    sent.into_iter().for_each(|sent| drop(sent.unwrap()));
    let mut contents = contents;
    contents.sort();
    received.sort();
    assert!(contents == received);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_connection_holds_waits_for_its_turn() {
    let pair = Pair::join(|| options(true)).await;
    let me = pair.a.local_participant();
    // Each has its share in what waits; together they want more than may wait. A server drops what is for nobody.
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..80 {
        let me = me.clone();
        let options = StreamByteOptions::new("bulk").with_destination("nobody").without_compression();
        sending.spawn(async move { me.send_bytes(vec![7; 300_000], options).await.map(drop) });
    }
    while let Some(sent) = within(sending.join_next()).await {
        sent.unwrap().unwrap();
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_ends_what_is_open_and_nothing_else() {
    let site = Site::start("").await.unwrap();
    let relay = Relay::start(RelayConfig::new(site.http())).await.unwrap();
    let (a, mut of_a) = join(relay.address(), "a", options(true)).await;
    let (b, _of_b) = join(site.http(), "b", options(true)).await;
    known(&a, "b").await;
    known(&b, "a").await;
    let (mut texts_of_b, _bytes) = listen(&b);
    let (mut texts_of_a, _more_bytes) = listen(&a);
    let (tell, mut called) = mpsc::unbounded_channel();
    a.register_rpc_method("never", move |_| {
        tell.send(()).unwrap();
        std::future::pending()
    })
    .unwrap();
    let text = || StreamTextOptions::new("topic");
    let mut from_a = within(a.local_participant().stream_text(text())).await.unwrap();
    let mut from_b = within(b.local_participant().stream_text(text())).await.unwrap();
    within(from_a.write("half")).await.unwrap();
    within(from_b.write("half")).await.unwrap();
    let (mut to_b, _) = within(texts_of_b.recv()).await.unwrap();
    let (mut to_a, _) = within(texts_of_a.recv()).await.unwrap();
    assert_eq!(within(to_b.next()).await.unwrap().unwrap(), "half");
    assert_eq!(within(to_a.next()).await.unwrap().unwrap(), "half");
    let caller = b.local_participant();
    let caller_b = caller.clone();
    let call = PerformRpc::new("a", "never").with_response_timeout(Duration::from_secs(100));
    let calling = tokio::spawn(async move { caller.perform_rpc(call).await });
    within(called.recv()).await.unwrap();
    // It is confirmed before this is answered.
    assert!(within(caller_b.perform_rpc(PerformRpc::new("a", "none"))).await.is_err());
    relay.set_up(false);
    // The pause is the fault itself: longer than a server keeps a session.
    tokio::time::sleep(Duration::from_secs(40)).await;
    relay.set_up(true);
    let renewed = |event| matches!(event, RoomEvent::Reconnected { resumed: false }).then_some(());
    event_within(Duration::from_secs(40), &mut of_a, renewed).await;
    assert_eq!(within(to_b.next()).await, Some(Err(StreamError::SenderLeft)));
    assert_eq!(within(to_a.next()).await, Some(Err(StreamError::SenderLeft)));
    let error = within(from_a.write("more")).await.unwrap_err();
    assert!(matches!(error, SendStreamError::Interrupted), "{error}");
    let error = within(calling).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), Some(RpcErrorCode::RecipientDisconnected));
    // What is begun now is of the new session.
    known(&a, "b").await;
    within(a.local_participant().send_text("again", StreamTextOptions::new("topic"))).await.unwrap();
    let (reader, _) = within(texts_of_b.recv()).await.unwrap();
    assert_eq!(within(reader.read_all()).await.unwrap(), "again");
    within(a.close()).await;
    within(b.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_on_where_a_session_is_resumed() {
    let site = Site::start("").await.unwrap();
    let relay = Relay::start(RelayConfig::new(site.http())).await.unwrap();
    let (a, _of_a) = join(relay.address(), "a", options(true)).await;
    let (b, _of_b) = join(site.http(), "b", options(true)).await;
    known(&a, "b").await;
    let (_texts, mut bytes) = listen(&b);
    let contents = noise(5_000_000).into_bytes();
    let options = StreamByteOptions::new("topic").without_compression();
    let me = a.local_participant();
    let sending = me.send_bytes(contents.clone(), options);
    let receiving = async {
        let (mut reader, _) = bytes.recv().await.unwrap();
        let mut read = Vec::new();
        let mut cuts = [1_000_000, 2_500_000].into_iter().peekable();
        while let Some(piece) = reader.next().await {
            read.extend_from_slice(&piece.unwrap());
            if cuts.next_if(|at| read.len() >= *at).is_some() {
                relay.cut_signal();
                relay.set_up(false);
                // The pause is the fault itself.
                tokio::time::sleep(Duration::from_secs(1)).await;
                relay.set_up(true);
            }
        }
        read
    };
    let both = async { tokio::join!(sending, receiving) };
    let (sent, read) = tokio::time::timeout(Duration::from_secs(60), both).await.expect("it goes on");
    sent.unwrap();
    assert!(read == contents);
    within(a.close()).await;
    within(b.close()).await;
    site.stop().await;
}
