//! The steps that every session begins with, each with a deadline.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use trackyard_peer::{ChannelKind, Target};
use trackyard_proto::signal::JoinResponse;
use trackyard_proto::{ParticipantInfo, Response};
use trackyard_sim::client::ClientEvent;

use crate::live::{LiveClient, LiveConfig};
use crate::signal_socket::SignalEnd;

/// Every step happens within this, or never; generous, as the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

impl LiveClient {
    /// Joins, and waits until frames can be sent and received.
    ///
    /// # Errors
    /// When the server refuses, or it takes too long.
    pub async fn join(config: LiveConfig) -> Result<(Self, JoinResponse)> {
        let single = config.client.single;
        let mut client = Self::start(config).await?;
        let mut joined = None;
        let mut missing = if single { 1 } else { 2 };
        client
            .wait(PATIENCE, |_, event| {
                match event {
                    ClientEvent::Joined(join) => joined = Some(*join),
                    ClientEvent::ChannelOpen(_, ChannelKind::DataTrack) => missing -= 1,
                    _ => {}
                }
                (missing == 0).then_some(())
            })
            .await
            .context("joining")?;
        Ok((client, joined.context("channels were open before the join")?))
    }

    /// Publishes a data track and waits for its sid.
    ///
    /// # Errors
    /// When it is not published in time.
    pub async fn publish(&mut self, handle: u16, name: &str) -> Result<String> {
        let wanted = name.to_owned();
        self.act(move |client, _| client.publish(handle, &wanted))?;
        self.wait(PATIENCE, |_, event| match event {
            ClientEvent::Published(info) if info.pub_handle == handle => Some(info.sid.clone()),
            _ => None,
        })
        .await
        .with_context(|| format!("publishing {name}"))
    }

    /// Subscribes and waits for the handle.
    ///
    /// # Errors
    /// When it is not given in time.
    pub async fn subscribe(&mut self, sid: &str) -> Result<u16> {
        let wanted = sid.to_owned();
        self.act(move |client, _| client.subscribe(&wanted))?;
        self.handle_of(sid).await
    }

    /// Waits for the handle of a track.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn handle_of(&mut self, sid: &str) -> Result<u16> {
        self.wait(PATIENCE, |_, event| match event {
            ClientEvent::Handle { handle, .. } if handle.track.track_sid == sid => Some(handle.handle),
            _ => None,
        })
        .await
        .with_context(|| format!("waiting for the handle of {sid}"))
    }

    /// Waits until so many tracks of others are announced in one list.
    ///
    /// # Errors
    /// When they are not in time.
    pub async fn announced(&mut self, count: usize, limit: Duration) -> Result<Vec<String>> {
        let sids = |participants: &[Arc<ParticipantInfo>]| {
            let lists = participants.iter().map(|participant| &participant.data_tracks);
            lists
                .filter(|list| list.len() >= count)
                .max_by_key(|list| list.len())
                .map(|list| list.iter().map(|track| track.sid.clone()).collect())
        };
        self.wait(limit, |_, event| match event {
            ClientEvent::Update(participants) => sids(&participants),
            _ => None,
        })
        .await
        .with_context(|| format!("waiting for {count} announced tracks"))
    }

    /// Waits for a message of the server that a client has no use for.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn message<T>(&mut self, mut pick: impl FnMut(Response) -> Option<T>) -> Result<T> {
        self.wait(PATIENCE, |_, event| match event {
            ClientEvent::Other(response) => pick(*response),
            _ => None,
        })
        .await
    }

    /// Says goodbye and waits until the server has closed the signal connection.
    ///
    /// # Errors
    /// When it does not.
    pub async fn leave(mut self) -> Result<SignalEnd> {
        self.act(|client, now| client.leave(now))?;
        self.signal_end(PATIENCE).await.context("leaving")
    }

    /// Waits until a connection is up.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn connected(&mut self, target: Target) -> Result<()> {
        self.wait(PATIENCE, |_, event| {
            matches!(event, ClientEvent::Connected(connected) if connected == target).then_some(())
        })
        .await
        .context("connecting")
    }
}
