//! What administrators ask of rooms, taken to the rooms' tasks and back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use trackyard_proto::RoomInfo;
use trackyard_sfu::room::{Admin, AdminError, AdminId, AdminReply, RoomChange};

use super::message::RoomMessage;
use super::registry::{ATTEMPTS, Entry, Rooms};
use crate::http::Refusal;

/// How long a room may take to answer, beside what it waits for itself.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How long an ended room may take to be gone.
const END_MAX: Duration = Duration::from_secs(5);

/// How it went.
pub(crate) type Answer = Result<AdminReply, AdminError>;

/// Why an administrator has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// There is no such room.
    NoRoom,
    /// Not now.
    Unavailable(String),
    /// The room said no.
    Refused(AdminError),
}

/// What a room's task has been asked and has not answered. Whoever stops waiting is answered to nobody; the room
/// bounds what it does not answer at once.
#[derive(Debug, Default)]
pub(super) struct Asked {
    last: u64,
    waiting: HashMap<AdminId, oneshot::Sender<Answer>>,
}

impl Asked {
    /// Someone waits for an answer under the id that is returned.
    pub(super) fn insert(&mut self, reply: oneshot::Sender<Answer>) -> AdminId {
        self.last += 1;
        let id = AdminId(self.last);
        self.waiting.insert(id, reply);
        id
    }

    /// The room has answered.
    pub(super) fn answer(&mut self, id: AdminId, answer: Answer) {
        if let Some(reply) = self.waiting.remove(&id) {
            // Who asked may have gone meanwhile; that is no one's concern.
            drop(reply.send(answer));
        }
    }
}

impl Rooms {
    /// Every room as it is now.
    pub(crate) fn list(&self) -> Vec<Arc<RoomInfo>> {
        self.entries().iter().map(Entry::shown).collect()
    }

    /// The rooms of these names that exist, each once.
    pub(crate) fn list_named(&self, names: &[String]) -> Vec<Arc<RoomInfo>> {
        let mut names: Vec<_> = names.iter().collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter_map(|name| self.find(name)).map(|entry| entry.shown()).collect()
    }

    /// Makes a room, or changes the one that is there.
    pub(crate) async fn create(&self, name: &str, change: RoomChange) -> Result<AdminReply, Unmet> {
        for _ in 0..ATTEMPTS {
            let made = self.find_or_make(name, || Ok(self.defaults().changed(name, &change)));
            let entry = made.map_err(|Refusal { text, .. }| Unmet::Unavailable(text))?;
            match self.ask_entry(&entry, Admin::Configure(change.clone()), Duration::ZERO).await {
                // It has ended between being found and being asked.
                Err(Unmet::NoRoom) => {}
                answer => return answer,
            }
        }
        Err(Unmet::Unavailable("the room is closing; try again".to_owned()))
    }

    /// Asks something of a room that exists.
    pub(crate) async fn ask(&self, name: &str, admin: Admin) -> Result<AdminReply, Unmet> {
        self.ask_slowly(name, admin, Duration::ZERO).await
    }

    /// The same for what the room itself waits for.
    pub(crate) async fn ask_slowly(
        &self,
        name: &str,
        admin: Admin,
        wait: Duration,
    ) -> Result<AdminReply, Unmet> {
        let entry = self.find(name).ok_or(Unmet::NoRoom)?;
        self.ask_entry(&entry, admin, wait).await
    }

    /// Ends a room, and waits until it is gone.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Unmet> {
        let entry = self.find(name).ok_or(Unmet::NoRoom)?;
        self.ask_entry(&entry, Admin::DeleteRoom, Duration::ZERO).await?;
        let gone = timeout(END_MAX, entry.mailbox.closed()).await;
        gone.map_err(|_| Unmet::Unavailable("the room has not ended yet".to_owned()))
    }

    async fn ask_entry(&self, entry: &Entry, admin: Admin, wait: Duration) -> Result<AdminReply, Unmet> {
        match timeout(ANSWER_MAX + wait, ask(&entry.mailbox, admin)).await {
            Ok(Some(answer)) => answer.map_err(Unmet::Refused),
            Ok(None) => Err(Unmet::NoRoom),
            Err(_) => Err(Unmet::Unavailable("the room does not answer; try again".to_owned())),
        }
    }
}

/// `None`: the room has ended.
async fn ask(mailbox: &mpsc::Sender<RoomMessage>, admin: Admin) -> Option<Answer> {
    let (reply, answer) = oneshot::channel();
    mailbox.send(RoomMessage::Admin(Box::new(admin), reply)).await.ok()?;
    answer.await.ok()
}
