//! A session in the log, and names that would forge its lines.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::Level;
use tracing::subscriber::DefaultGuard;
use trackyard_proto::ClientInfo;
use trackyard_sfu::room::ConnectionId;

use super::*;

/// What this thread has logged, as the server writes it.
#[derive(Clone, Default)]
pub(in crate::rooms) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// From now until the guard is dropped.
    pub(in crate::rooms) fn begin() -> (Self, DefaultGuard) {
        let captured = Self::default();
        let writer = captured.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::INFO)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        (captured, tracing::subscriber::set_default(subscriber))
    }

    pub(in crate::rooms) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(room: &str, identity: &str, news: News) -> String {
    let (captured, _guard) = Captured::begin();
    let room = Arc::new(RoomInfo { name: room.to_owned(), ..RoomInfo::default() });
    let (identity, sid) = (identity.to_owned(), "PA_x".to_owned());
    let session = SessionNotice { name: identity.clone(), identity, sid, has_been_active: true, news };
    log(&Notice { room, subject: Subject::Session(session) }, None);
    captured.text()
}

#[test]
fn a_hostile_name_forges_no_line() {
    let evil = "eve\n INFO trackyard: participant left\u{1b}[31m\r\u{9b}\u{2028}";
    let client = ClientInfo { sdk: evil.into(), version: evil.into(), ..ClientInfo::default() };
    let joined = News::Joined { connection: ConnectionId(1), client: Box::new(client) };
    let resumed = News::Resumed { connection: ConnectionId(2) };
    for news in [joined, resumed] {
        let text = written(evil, evil, news);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.trim_end_matches('\n').chars().any(char::is_control), "{text:?}");
        assert!(text.contains(r"eve\n INFO") && text.contains(r"\u{1b}"), "{text}");
    }
}

#[test]
fn what_a_client_says_of_itself_is_cut() {
    let client = ClientInfo { version: "ü".repeat(60_000), ..ClientInfo::default() };
    let joined = News::Joined { connection: ConnectionId(1), client: Box::new(client) };
    let text = written("yard", "ada", joined);
    assert!(text.contains(&"ü".repeat(CLIENT_MAX)) && text.len() < 512, "{text}");
}
