//! Who may enter, check by check.

use trackyard_auth::Claims;

use super::*;

fn verified(edit: impl FnOnce(&mut Claims)) -> Verified {
    let mut claims =
        Claims { identity: "ada".into(), video: Some(VideoGrant::join("lab")), ..Claims::default() };
    edit(&mut claims);
    Verified { api_key: "key".into(), claims, expires_at_unix_s: 10 }
}

fn grant(claims: &mut Claims) -> &mut VideoGrant {
    claims.video.as_mut().unwrap()
}

struct Case {
    verified: Option<Verified>,
    room_parameter: &'static str,
    publish_parameter: Option<&'static str>,
    request: JoinRequest,
    room_exists: bool,
    capacity: Capacity,
    limits: StateLimits,
}

impl Case {
    fn new(edit: impl FnOnce(&mut Claims)) -> Self {
        Self {
            verified: Some(verified(edit)),
            room_parameter: "",
            publish_parameter: None,
            request: JoinRequest::default(),
            room_exists: true,
            capacity: Capacity::Free,
            limits: StateLimits::default(),
        }
    }

    fn check(&self) -> Result<Admitted, Refusal> {
        check(&Checks {
            verified: self.verified.as_ref(),
            room_parameter: self.room_parameter,
            publish_parameter: self.publish_parameter,
            request: &self.request,
            room_exists: &|_| self.room_exists,
            capacity: self.capacity,
            limits: self.limits,
        })
    }

    #[track_caller]
    fn refused(&self, status: u16, text: &str) {
        let refusal = self.check().unwrap_err();
        assert_eq!((refusal.kind.status(), refusal.text.as_str()), (status, text));
    }
}

#[test]
fn a_token_that_allows_joining_is_needed() {
    Case { verified: None, ..Case::new(|_| {}) }.refused(401, "no permissions to access the room");
    Case::new(|claims| claims.video = None).refused(401, "no permissions to access the room");
    Case::new(|claims| grant(claims).room_join = false).refused(401, "no permissions to access the room");
}

#[test]
fn an_identity_has_1_to_256_bytes() {
    Case::new(|claims| claims.identity.clear()).refused(400, "identity is empty");
    Case::new(|claims| claims.identity = "i".repeat(257)).refused(400, "identity: 257 bytes, at most 256");
    Case::new(|claims| claims.identity = "i".repeat(256)).check().unwrap();
}

#[test]
fn a_room_name_has_1_to_256_bytes() {
    Case::new(|claims| grant(claims).room.clear()).refused(400, "no room name");
    Case::new(|claims| grant(claims).room = "r".repeat(257))
        .refused(400, "room name: 257 bytes, at most 256");
    Case::new(|claims| grant(claims).room = "r".repeat(256)).check().unwrap();
}

#[test]
fn the_tokens_room_overrides_the_parameter() {
    let case = Case { room_parameter: "other", ..Case::new(|_| {}) };
    assert_eq!(case.check().unwrap().room, "lab");
    let case = Case { room_parameter: "other", ..Case::new(|claims| grant(claims).room.clear()) };
    assert_eq!(case.check().unwrap().room, "other");
}

#[test]
fn an_absent_room_is_refused_with_the_words_clients_look_for() {
    Case { room_exists: false, ..Case::new(|_| {}) }.refused(404, "requested room does not exist");
}

#[test]
fn a_full_node_is_unavailable() {
    Case { capacity: Capacity::Full, ..Case::new(|_| {}) }
        .refused(503, "the node takes no more participants");
}

#[test]
fn an_overloaded_node_is_unavailable() {
    Case { capacity: Capacity::Overloaded, ..Case::new(|_| {}) }
        .refused(503, "the node is overloaded; try again later");
}

#[test]
fn who_comes_back_to_its_session_is_let_in_however_full_the_node_is() {
    for capacity in [Capacity::Full, Capacity::Overloaded] {
        let request = JoinRequest { reconnect: true, ..JoinRequest::default() };
        let case = Case { capacity, request, ..Case::new(|_| {}) };
        assert_eq!(case.check().unwrap().room, "lab");
    }
}

#[test]
fn own_state_needs_permission_and_has_limits() {
    let with = |metadata: usize, attributes: usize| JoinRequest {
        metadata: "m".repeat(metadata),
        attributes: (0..attributes.min(1)).map(|_| ("k".into(), "v".repeat(attributes - 1))).collect(),
        ..JoinRequest::default()
    };
    let check = |request: JoinRequest, allowed: bool| {
        let edit = |claims: &mut Claims| grant(claims).can_update_own_metadata = Some(allowed);
        Case { request, ..Case::new(edit) }.check().map_or_else(|refusal| refusal.kind.status(), |_| 200)
    };
    assert_eq!(check(with(0, 0), false), 200);
    assert_eq!(check(with(1, 0), false), 401);
    assert_eq!(check(with(0, 2), false), 401);
    assert_eq!(check(with(512 * 1024, 64 * 1024), true), 200);
    assert_eq!(check(with(512 * 1024 + 1, 0), true), 400);
    assert_eq!(check(with(0, 64 * 1024 + 1), true), 400);
}

#[test]
fn checks_come_in_the_protocols_order() {
    let request = JoinRequest { metadata: "m".into(), ..JoinRequest::default() };
    let mut case = Case { request, capacity: Capacity::Full, room_exists: false, ..Case::new(|_| {}) };
    case.verified = Some(verified(|claims| {
        claims.identity.clear();
        grant(claims).room.clear();
    }));
    case.refused(400, "identity is empty");
    case.verified = Some(verified(|claims| grant(claims).room.clear()));
    case.refused(400, "no room name");
    case.verified = Some(verified(|_| {}));
    case.refused(404, "requested room does not exist");
    case.room_exists = true;
    case.refused(503, "the node takes no more participants");
    case.capacity = Capacity::Free;
    assert_eq!(case.check().unwrap_err().kind, RefusalKind::Unauthorized);
}

#[test]
fn a_publishing_second_session_has_its_own_identity_and_does_not_subscribe() {
    let case = Case { publish_parameter: Some("cam"), ..Case::new(|_| {}) };
    let claims = case.check().unwrap().verified.claims;
    assert_eq!(claims.identity, "ada#cam");
    assert!(!claims.video.unwrap().can_subscribe());
}

#[test]
fn configured_bounds_take_the_place_of_the_protocols() {
    let limits = StateLimits { identity_bytes: 2, ..StateLimits::default() };
    Case { limits, ..Case::new(|_| {}) }.refused(400, "identity: 3 bytes, at most 2");
    let limits = StateLimits { metadata_bytes: 3, ..StateLimits::default() };
    let request = JoinRequest { metadata: "long".into(), ..JoinRequest::default() };
    Case { limits, request, ..Case::new(|claims| grant(claims).can_update_own_metadata = Some(true)) }
        .refused(400, "metadata: 4 bytes, at most 3");
}
