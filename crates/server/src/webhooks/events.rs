//! Which events are told, and what they say.

use std::sync::Arc;

use trackyard_proto::media_track::TrackKind;
use trackyard_proto::sid::{self, SidKind};
use trackyard_proto::webhook::{RoomEndReason, WebhookEvent, WebhookKind};
use trackyard_proto::{DataTrackInfo, ParticipantInfo, TrackInfo};
use trackyard_sfu::room::{News, Notice, SessionNotice, Subject};

use crate::config::WebhookSettings;

/// Which events are told.
#[derive(Debug)]
pub(super) struct Selection {
    kinds: Vec<WebhookKind>,
}

impl Selection {
    pub(super) fn new(settings: &WebhookSettings) -> Self {
        let is_in = |list: &[String], kind: &WebhookKind| list.iter().any(|name| name == kind.as_str());
        let kinds = WebhookKind::ALL.into_iter().filter(|kind| {
            (settings.include_events.is_empty() || is_in(&settings.include_events, kind))
                && !is_in(&settings.exclude_events, kind)
                && (settings.data_tracks || !kind.is_about_track())
        });
        Self { kinds: kinds.collect() }
    }

    /// What a notice is to receivers: mostly nothing, or one event.
    pub(super) fn events(&self, notice: &Notice, unix_s: u64) -> Vec<WebhookEvent> {
        let happened = match &notice.subject {
            Subject::RoomStarted => vec![bare(WebhookKind::RoomStarted)],
            Subject::RoomFinished(reason) => vec![WebhookEvent {
                room_end_reason: RoomEndReason::from(*reason),
                ..bare(WebhookKind::RoomFinished)
            }],
            Subject::Session(session) => of_session(session),
        };
        let wanted = happened.into_iter().filter(|event| self.kinds.contains(&event.kind));
        let complete = |event: WebhookEvent| WebhookEvent {
            id: sid::generate(SidKind::Event, |bound| fastrand::u32(..bound)),
            created_at_s: unix_s,
            room: Some(Arc::clone(&notice.room)),
            ..event
        };
        wanted.map(complete).collect()
    }
}

fn bare(kind: WebhookKind) -> WebhookEvent {
    WebhookEvent { kind, ..WebhookEvent::default() }
}

/// Nobody hears of a participant before it is connected, and so of its tracks neither.
fn of_session(session: &SessionNotice) -> Vec<WebhookEvent> {
    let of_participant = |kind, info: &Arc<ParticipantInfo>| WebhookEvent {
        participant: Some(Arc::clone(info)),
        ..bare(kind)
    };
    let of_track = |kind, track: &DataTrackInfo| WebhookEvent {
        participant: Some(Arc::new(publisher(session))),
        track: Some(Arc::new(described(track))),
        ..bare(kind)
    };
    match &session.news {
        News::Active { info, .. } => {
            let joined = of_participant(WebhookKind::ParticipantJoined, info);
            let tracks = info.data_tracks.iter().map(|track| of_track(WebhookKind::TrackPublished, track));
            std::iter::once(joined).chain(tracks).collect()
        }
        News::Left { info, .. } if session.has_been_active => {
            vec![of_participant(WebhookKind::ParticipantLeft, info)]
        }
        News::Left { info, .. } => {
            vec![of_participant(WebhookKind::ParticipantConnectionAborted, info)]
        }
        News::Published(track) if session.has_been_active => {
            vec![of_track(WebhookKind::TrackPublished, track)]
        }
        News::Unpublished(track) if session.has_been_active => {
            vec![of_track(WebhookKind::TrackUnpublished, track)]
        }
        News::Joined { .. }
        | News::Resumed { .. }
        | News::Published(_)
        | News::Unpublished(_)
        | News::Subscribed(_) => Vec::new(),
    }
}

/// Of a track's publisher the names are told.
fn publisher(session: &SessionNotice) -> ParticipantInfo {
    ParticipantInfo::named(&session.sid, &session.identity, &session.name)
}

/// A data track as the track that receivers know.
fn described(track: &DataTrackInfo) -> TrackInfo {
    TrackInfo {
        sid: track.sid.clone(),
        name: track.name.clone(),
        kind: TrackKind::Data,
        encryption: track.encryption,
        ..TrackInfo::default()
    }
}
