//! What one client has been told, and what it relies on in each message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trackyard_proto::signal::DataTrackPublication;
use trackyard_proto::{ParticipantInfo, ParticipantState, Response};

/// What one signal connection has been told.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) messages: Vec<Response>,
    pub(super) closed: bool,
    pub(super) own_identity: String,
    /// By identity: the last info.
    pub(super) others: BTreeMap<String, Arc<ParticipantInfo>>,
    pub(super) own: Option<Arc<ParticipantInfo>>,
    /// By track sid.
    pub(super) handles: BTreeMap<String, u16>,
    published: BTreeSet<String>,
    /// By identity: the tracks of the last list.
    listed: BTreeMap<String, BTreeSet<String>>,
    begun: bool,
}

impl View {
    pub(super) fn hear(&mut self, response: Response) {
        assert!(!self.closed, "nothing is written to a connection that was closed: {response:?}");
        self.check_first(&response);
        match &response {
            Response::Join(join) => {
                self.own_identity.clone_from(&join.participant.identity);
                self.own = Some(Arc::clone(&join.participant));
                join.other_participants.iter().for_each(|info| self.see(info));
            }
            Response::Update(infos) => infos.iter().for_each(|info| self.see(info)),
            Response::SubscriberHandles(handles) => {
                for entry in handles {
                    assert_ne!(entry.handle, 0);
                    let sid = &entry.track.track_sid;
                    assert!(
                        self.knows_track(sid),
                        "{} is told a handle for {sid}, which it has not seen",
                        self.own_identity
                    );
                    self.handles.insert(sid.clone(), entry.handle);
                }
            }
            Response::DataTrackPublished(DataTrackPublication { info, .. }) => {
                self.published.insert(info.sid.clone());
            }
            _ => {}
        }
        self.messages.push(response);
    }

    fn check_first(&mut self, response: &Response) {
        let first = matches!(response, Response::Join(_) | Response::Reconnect(_) | Response::Leave { .. });
        if self.begun {
            assert!(!matches!(response, Response::Join(_) | Response::Reconnect(_)), "a session begins once");
        } else {
            assert!(first, "the first message is {response:?}");
        }
        self.begun = true;
    }

    fn see(&mut self, info: &Arc<ParticipantInfo>) {
        let sids: BTreeSet<_> = info.data_tracks.iter().map(|track| track.sid.clone()).collect();
        assert_eq!(sids.len(), info.data_tracks.len());
        assert!(info.sid.starts_with("PA_") && sids.iter().all(|sid| sid.starts_with("DTR_")));
        self.listed.insert(info.identity.clone(), sids);
        if info.identity == self.own_identity {
            assert_not_older(self.own.as_ref(), info);
            self.own = Some(Arc::clone(info));
            return;
        }
        assert_not_older(self.others.get(&info.identity), info);
        if info.state == ParticipantState::Disconnected {
            self.others.remove(&info.identity);
        } else {
            self.others.insert(info.identity.clone(), Arc::clone(info));
        }
    }

    fn knows_track(&self, sid: &str) -> bool {
        self.published.contains(sid) || self.listed.values().any(|sids| sids.contains(sid))
    }

    /// Names of the tracks of a participant, as this client knows them.
    pub(super) fn tracks_of(&self, identity: &str) -> Vec<&str> {
        let info = self.others.get(identity).unwrap_or_else(|| panic!("{identity} is not known"));
        info.data_tracks.iter().map(|track| track.name.as_str()).collect()
    }
}

fn assert_not_older(known: Option<&Arc<ParticipantInfo>>, info: &ParticipantInfo) {
    let Some(known) = known else { return };
    if known.sid == info.sid {
        assert!(info.version >= known.version, "an older info follows a newer one");
        assert!(info.state >= known.state, "a state goes back");
    } else {
        assert!(info.joined_at_ms >= known.joined_at_ms, "an older session follows a newer one");
    }
}
