//! The task that drives one room: inputs from its mailbox, outputs to connections and workers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;
use tracing::{debug, info, warn};
use trackyard_net::SendErrorReason;
use trackyard_proto::{Outbound, Response, RoomInfo};
use trackyard_sfu::control::{Command, Event, WorkerId};
use trackyard_sfu::room::{
    AdminRequest, ConnectionId, Input, News, Notice, Output, Room, SessionNotice, Subject,
};

use super::admin::Asked;
use super::describe::RoomDescription;
use super::events::Deaths;
use super::log::log;
use super::message::RoomMessage;
use super::registry::Shared;
use super::sink::{SignalItem, SignalSink};
use crate::http::Refusal;

/// Messages or events taken before timers are looked at again.
const BATCH_MAX: usize = 256;

/// Of these, for which room is kept between batches.
const KEPT: usize = 16;

/// What a room reads: two queues, so that clients who say much do not keep workers from being heard.
pub(super) struct Inbox {
    pub(super) mailbox: mpsc::Receiver<RoomMessage>,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) deaths: watch::Receiver<Deaths>,
}

/// One room and the connections it talks to.
pub(super) struct Driver {
    room: Room,
    sinks: HashMap<ConnectionId, SignalSink>,
    /// Administrators who wait for an answer.
    asked: Asked,
    /// What the room looks like, for who only looks.
    shown: watch::Sender<Arc<RoomInfo>>,
    /// Connections given up in this pass, to be told to the room once it has been drained.
    lost: Vec<ConnectionId>,
    /// Workers that were found dead in this pass, likewise.
    dead: Vec<WorkerId>,
    /// Deaths of workers that the room has been told of.
    mourned: Deaths,
    shared: Arc<Shared>,
    closed: bool,
}

impl Driver {
    pub(super) fn new(room: Room, shown: watch::Sender<Arc<RoomInfo>>, shared: Arc<Shared>) -> Self {
        let (sinks, asked) = (HashMap::new(), Asked::default());
        let (lost, dead, mourned) = (Vec::new(), Vec::new(), Deaths::new());
        Self { room, sinks, asked, shown, lost, dead, mourned, shared, closed: false }
    }

    /// Runs until the room has ended. The inbox is handed back for what came too late.
    pub(super) async fn run(mut self, mut inbox: Inbox) -> Inbox {
        let (mut messages, mut events) = (Vec::new(), Vec::new());
        let opened = Instant::now();
        info!(room = ?self.room.info().name, sid = self.room.info().sid, "room opened");
        if !self.room.tags().is_empty() {
            debug!(tags = ?self.room.tags(), "tags of the room");
        }
        self.mourned.clone_from(&inbox.deaths.borrow_and_update());
        self.drain();
        while !self.closed {
            tokio::select! {
                Ok(()) = inbox.deaths.changed() => self.mourn(&mut inbox.deaths),
                count = inbox.mailbox.recv_many(&mut messages, BATCH_MAX) => {
                    if count == 0 {
                        break;
                    }
                    messages.drain(..).for_each(|message| self.handle(message, &mut inbox.deaths));
                }
                _ = inbox.events.recv_many(&mut events, BATCH_MAX), if !inbox.events.is_closed() => {
                    events.drain(..).for_each(|event| self.input(Input::Event(event)));
                }
                () = until(self.room.poll_timeout()) => self.input(Input::Timeout),
            }
            // What came together leads to one change of routes, one list, one message of handles.
            self.drain();
            messages.shrink_to(KEPT);
            events.shrink_to(KEPT);
        }
        let info = self.room.info();
        info!(room = ?info.name, sid = info.sid, after = ?opened.elapsed(), "room closed");
        self.shared.count_ended(*self.room.counters());
        inbox
    }

    fn handle(&mut self, message: RoomMessage, deaths: &mut watch::Receiver<Deaths>) {
        match message {
            RoomMessage::Join(mut join, sink) => {
                self.sinks.insert(join.connection, sink);
                join.worker = self.shared.workers.place(self.room.served_by());
                // Deaths are told before a worker serves again, so one that serves is not to be mourned with whom it gets now.
                self.mourn(deaths);
                self.input(Input::Join(join));
            }
            RoomMessage::Resume(resume, sink) => {
                self.sinks.insert(resume.connection, sink);
                self.input(Input::Resume(*resume));
            }
            RoomMessage::Input(input) => {
                if let Input::SignalClosed { connection } = input.as_ref() {
                    self.sinks.remove(connection);
                }
                self.input(*input);
            }
            RoomMessage::Admin(admin, reply) => {
                let id = self.asked.insert(reply);
                self.input(Input::Admin(AdminRequest { id, admin: *admin }));
            }
            // Whoever asked may have gone; that is no one's concern.
            RoomMessage::Describe(reply) => drop(reply.send(RoomDescription::of(&self.room))),
        }
    }

    fn input(&mut self, input: Input) {
        self.room.handle(input, self.shared.clock.now());
    }

    fn drain(&mut self) {
        loop {
            self.show();
            while let Some(output) = self.room.poll_output() {
                self.output(output);
            }
            if let Some(worker) = self.dead.pop() {
                self.room.handle(Input::Event(Event::WorkerLost { worker }), self.shared.clock.now());
            } else if let Some(connection) = self.lost.pop() {
                self.sinks.remove(&connection);
                self.room.handle(Input::SignalClosed { connection }, self.shared.clock.now());
            } else {
                return;
            }
        }
    }

    /// Tells the room of workers that have died since it was last told.
    fn mourn(&mut self, deaths: &mut watch::Receiver<Deaths>) {
        let deaths = {
            let deaths = deaths.borrow_and_update();
            if *deaths == self.mourned {
                return;
            }
            deaths.clone()
        };
        let mourned = std::mem::replace(&mut self.mourned, deaths);
        let is_news = |(worker, count): &(&WorkerId, &u64)| mourned.get(worker) != Some(count);
        self.dead = self.mourned.iter().filter(is_news).map(|(worker, _)| *worker).collect();
        self.drain();
    }

    /// A worker does not take a command. From a dead one nothing follows, so the room learns it here; whoever the others
    /// do not serve in time has to reconnect.
    fn send(&mut self, worker: WorkerId, command: Command) {
        let Err(error) = self.shared.workers.send(worker, command) else { return };
        let before = self.shared.counters.command_lost.inc();
        // One line for ever more of them.
        if (before + 1).is_power_of_two() {
            warn!(worker = worker.0, %error, lost = before + 1, "a worker does not take commands; its clients have to reconnect");
        }
        if error.reason == SendErrorReason::WorkerGone && !self.dead.contains(&worker) {
            self.dead.push(worker);
        }
    }

    /// Before anyone is told what has changed, so that who asks then sees it.
    fn show(&self) {
        let info = self.room.info();
        self.shown.send_if_modified(|shown| {
            let changed = !Arc::ptr_eq(shown, &info);
            if changed {
                *shown = info;
            }
            changed
        });
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Signal { connection, message } => self.signal(connection, SignalItem::Message(message)),
            Output::Refuse { connection, refusal } => {
                self.signal(connection, SignalItem::Refused(Refusal::from(refusal)));
                self.sinks.remove(&connection);
            }
            Output::CloseSignal { connection } => drop(self.sinks.remove(&connection)),
            Output::Command { worker, command } => self.send(worker, command),
            Output::RefreshToken { connection, verified } => self.refresh_token(connection, &verified),
            Output::Directory(request) => {
                let reply = self.shared.directory(request);
                self.room.handle(Input::Directory(reply), self.shared.clock.now());
            }
            Output::Admin { id, result } => self.asked.answer(id, result),
            Output::Notice(notice) => {
                self.log(&notice);
                if is_turnover(&notice.subject) {
                    self.shared.note_turnover();
                }
                self.shared.webhooks.tell(&notice);
            }
            Output::Closed => self.closed = true,
        }
    }

    fn log(&self, notice: &Notice) {
        let connection = match &notice.subject {
            Subject::Session(SessionNotice { news: News::Joined { connection, .. }, .. })
            | Subject::Session(SessionNotice { news: News::Resumed { connection }, .. }) => Some(connection),
            _ => None,
        };
        let address = connection.and_then(|connection| self.sinks.get(connection)).map(SignalSink::address);
        log(notice, address);
    }

    fn signal(&mut self, connection: ConnectionId, item: SignalItem) {
        let Some(sink) = self.sinks.get(&connection) else { return };
        if sink.send(item).is_err() {
            let before = self.shared.counters.signal_overflow.inc();
            // One line for ever more of them.
            if (before + 1).is_power_of_two() {
                let address = sink.address();
                warn!(%address, lost = before + 1, "a client reads its signal connection too slowly, which is closed");
            }
            self.lost.push(connection);
        }
    }

    fn refresh_token(&mut self, connection: ConnectionId, verified: &trackyard_auth::Verified) {
        match self.shared.keys.refresh(
            &verified.claims,
            verified.expires_at_unix_s,
            self.shared.clock.unix_s(),
        ) {
            Ok(token) => {
                self.signal(connection, SignalItem::Message(Outbound::new(Response::RefreshToken(token))))
            }
            Err(error) => warn!(%error, "a token could not be refreshed"),
        }
    }
}

/// Whether something has come or gone.
fn is_turnover(subject: &Subject) -> bool {
    match subject {
        Subject::RoomStarted | Subject::RoomFinished(_) => true,
        Subject::Session(session) => {
            !matches!(session.news, News::Resumed { .. } | News::Active { .. } | News::Subscribed(_))
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
