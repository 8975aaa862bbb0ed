//! Data blobs: what is asked, answered, kept and stored anew.

use super::*;

/// Blobs beside a server that is played by the test.
struct Run {
    blobs: Blobs,
    now: Instant,
    said: Vec<String>,
    told: Vec<String>,
}

fn key(text: &str) -> DataBlobKey {
    DataBlobKey::Generic(text.to_owned())
}

fn blob(text: &str, contents: &str) -> DataBlob {
    DataBlob { key: Some(key(text)), contents: Bytes::copy_from_slice(contents.as_bytes()) }
}

impl Run {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        let mut blobs = Blobs::default();
        blobs.restart(now);
        Self { blobs, now, said: Vec::new(), told: Vec::new() }
    }

    fn drain(&mut self) {
        while let Some(output) = self.blobs.poll_output() {
            match output {
                BlobOutput::Request(request) => self.said.push(said(&request)),
                BlobOutput::Event(event) => self.told.push(told(&event)),
            }
        }
    }

    fn said(&mut self) -> String {
        self.drain();
        std::mem::take(&mut self.said).join(" ")
    }

    fn told(&mut self) -> String {
        self.drain();
        std::mem::take(&mut self.told).join(" ")
    }

    fn store(&mut self, text: &str, contents: &str) {
        self.blobs.store(blob(text, contents), self.now);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.blobs.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.blobs.handle_timeout(at);
        }
        self.now = end;
    }
}

fn said(request: &Request) -> String {
    match request {
        Request::StoreDataBlob { request_id, blob: Some(blob) } => {
            let Some(DataBlobKey::Generic(key)) = &blob.key else { panic!("{blob:?}") };
            format!("{request_id}:{key}={}", String::from_utf8_lossy(&blob.contents))
        }
        Request::GetDataBlob { request_id, identity, key: Some(DataBlobKey::Generic(key)) } => {
            format!("{request_id}:{identity}/{key}?")
        }
        other => panic!("{other:?}"),
    }
}

fn told(event: &DataBlobEvent) -> String {
    match event {
        DataBlobEvent::Stored { request, result } => {
            format!("{}:{:?}", request.0, result.as_ref().map(|_| ()))
        }
        DataBlobEvent::Found { request, result } => {
            let contents = result.as_ref().map(|blob| String::from_utf8_lossy(&blob.contents));
            format!("{}:{contents:?}", request.0)
        }
        DataBlobEvent::Lost { key: DataBlobKey::Generic(key), error } => format!("lost {key}: {error:?}"),
        DataBlobEvent::Lost { key, .. } => panic!("{key:?}"),
    }
}

#[test]
fn what_is_asked_is_answered_once() {
    let mut run = Run::new();
    run.store("a", "x");
    run.blobs.get("bob".to_owned(), key("b"), run.now);
    assert_eq!(run.said(), "1:a=x 2:bob/b?");
    run.blobs.stored(1);
    run.blobs.found(2, &blob("b", "y"));
    assert_eq!(run.told(), "1:Ok(()) 2:Ok(\"y\")");
    run.blobs.stored(1);
    run.blobs.found(2, &blob("b", "y"));
    run.blobs.refused(2, (Reason::NotFound, "no"));
    run.pass(Duration::from_secs(60));
    assert_eq!(run.told(), "");
}

#[test]
fn an_answer_of_the_other_kind_is_none() {
    let mut run = Run::new();
    run.store("a", "x");
    run.blobs.get("bob".to_owned(), key("b"), run.now);
    run.blobs.found(1, &blob("a", "x"));
    run.blobs.stored(2);
    assert_eq!(run.told(), "");
}

#[test]
fn a_refusal_and_a_silence_say_why() {
    let mut run = Run::new();
    run.store("a", "x");
    run.blobs.refused(1, (Reason::Queued, ""));
    run.blobs.refused(1, (Reason::NotAllowed, "no"));
    assert_eq!(run.told(), "1:Err(Refused { reason: NotAllowed, message: \"no\" })");
    run.blobs.get("bob".to_owned(), key("b"), run.now);
    run.pass(BLOB_TIMEOUT - Duration::from_millis(1));
    assert_eq!(run.told(), "");
    run.pass(Duration::from_millis(1));
    assert_eq!(run.told(), "2:Err(Timeout)");
    assert!(DataBlobError::Timeout.to_string().contains("old"));
}

#[test]
fn what_every_server_would_refuse_is_not_asked_for() {
    let mut run = Run::new();
    run.store("", "x");
    run.store(&"k".repeat(257), "x");
    run.store("a", "");
    run.blobs.store(DataBlob { key: None, contents: Bytes::from_static(b"x") }, run.now);
    run.store("a", &"x".repeat(64_000));
    assert_eq!(run.said(), "");
    let expected = "1:Err(InvalidKey) 2:Err(InvalidKey) 3:Err(Empty) 4:Err(InvalidKey) 5:Err(LimitExceeded)";
    assert_eq!(run.told(), expected);
}

#[test]
fn what_is_stored_together_is_bounded() {
    let mut run = Run::new();
    run.store("a", &"x".repeat(63_000));
    run.blobs.stored(1);
    run.store("a", &"y".repeat(63_999));
    run.store("b", "z");
    run.told();
    run.blobs.refused(2, (Reason::UnclassifiedError, ""));
    run.store("b", "z");
    assert_eq!(run.blobs.asked.len(), 1, "once the larger one is out of the way");

    let mut run = Run::new();
    for number in 0..=BLOBS_MAX {
        run.store(&number.to_string(), "x");
        run.blobs.stored(u32::try_from(number).unwrap() + 1);
    }
    assert!(run.told().ends_with("257:Err(LimitExceeded)"));
}

#[test]
fn unanswered_requests_are_bounded() {
    let mut run = Run::new();
    for _ in 0..=BLOB_REQUESTS_MAX {
        run.blobs.get("bob".to_owned(), key("b"), run.now);
    }
    assert_eq!(run.told(), "65:Err(TooManyRequests)");
}

#[test]
fn what_was_not_answered_is_asked_again_and_the_time_begins_anew() {
    let mut run = Run::new();
    run.store("a", "x");
    run.pass(Duration::from_secs(9));
    run.blobs.pause();
    run.blobs.get("bob".to_owned(), key("b"), run.now);
    run.pass(Duration::from_secs(60));
    assert_eq!((run.said(), run.told()), (String::new(), String::new()));
    run.blobs.resume(run.now);
    assert_eq!(run.said(), "1:a=x 2:bob/b?");
    run.pass(Duration::from_secs(9));
    run.blobs.stored(1);
    run.blobs.found(2, &blob("b", "y"));
    assert_eq!(run.told(), "1:Ok(()) 2:Ok(\"y\")");
}

#[test]
fn what_was_stored_is_stored_in_every_session_before_what_follows_it() {
    let mut run = Run::new();
    run.store("a", "x");
    run.blobs.stored(1);
    run.store("a", "newer");
    run.said();
    run.told();
    run.blobs.resume(run.now);
    assert_eq!(run.said(), "2:a=newer", "a session that goes on has it");
    run.blobs.restart(run.now);
    assert_eq!(run.said(), "3:a=x 2:a=newer");
    run.blobs.restart(run.now);
    assert_eq!(run.said(), "4:a=x 2:a=newer");
    run.blobs.stored(4);
    run.blobs.stored(2);
    assert_eq!(run.told(), "2:Ok(())", "only what the application asked for");
    run.blobs.restart(run.now);
    assert_eq!(run.said(), "5:a=newer");
    run.blobs.refused(5, (Reason::LimitExceeded, ""));
    assert_eq!(run.told(), "lost a: Refused { reason: LimitExceeded, message: \"\" }");
    run.blobs.restart(run.now);
    assert_eq!(run.said(), "");
}

#[test]
fn the_end_of_the_session_answers_everything() {
    let mut run = Run::new();
    run.store("a", "x");
    run.blobs.stored(1);
    run.blobs.restart(run.now);
    run.blobs.get("bob".to_owned(), key("b"), run.now);
    run.said();
    run.told();
    run.blobs.close();
    assert_eq!(run.told(), "3:Err(Closed)");
    run.store("b", "y");
    run.blobs.get("bob".to_owned(), key("b"), run.now);
    assert_eq!((run.said(), run.told()), (String::new(), "4:Err(Closed) 5:Err(Closed)".to_owned()));
    assert_eq!(run.blobs.poll_timeout(), None);
}
