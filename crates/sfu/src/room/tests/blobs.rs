//! Data blobs: kept with a session, found by everyone, bounded (protocol §5.7).

use bytes::Bytes;
use trackyard_proto::signal::Reason;
use trackyard_proto::{DataBlob, DataBlobKey, Request, Response, Schema, SchemaEncoding};

use super::harness::{Arrival, Guest, Script};
use crate::room::RoomConfig;

fn generic(key: &str) -> DataBlobKey {
    DataBlobKey::Generic(key.to_owned())
}

fn schema(name: &str, encoding: Option<SchemaEncoding>) -> DataBlobKey {
    DataBlobKey::Schema(Schema { name: name.to_owned(), encoding })
}

fn blob(key: Option<DataBlobKey>, bytes: usize) -> Option<DataBlob> {
    Some(DataBlob { key, contents: Bytes::from(vec![b'x'; bytes]) })
}

/// Asks, and gives what was answered: a key or blob, or a reason.
fn ask(script: &mut Script, guest: &Guest, request: Request) -> Result<Response, Reason> {
    script.heard(guest);
    script.say(guest, request);
    let mut heard = script.heard(guest);
    assert_eq!(heard.len(), 1, "{heard:?}");
    match heard.remove(0) {
        Response::RequestResponse { request_id: 9, reason, echo: None, .. } => Err(reason),
        answer => Ok(answer),
    }
}

fn store(script: &mut Script, guest: &Guest, blob: Option<DataBlob>) -> Result<(), Reason> {
    let key = blob.as_ref().and_then(|blob| blob.key.clone());
    let answer = ask(script, guest, Request::StoreDataBlob { request_id: 9, blob })?;
    assert_eq!(answer, Response::DataBlobStored { request_id: 9, key: key.expect("it was stored") });
    Ok(())
}

fn get(
    script: &mut Script,
    guest: &Guest,
    identity: &str,
    key: Option<DataBlobKey>,
) -> Result<usize, Reason> {
    let request = Request::GetDataBlob { request_id: 9, identity: identity.to_owned(), key };
    let wanted = request.clone();
    match (ask(script, guest, request)?, wanted) {
        (Response::DataBlob { request_id: 9, blob }, Request::GetDataBlob { key, .. }) if blob.key == key => {
            Ok(blob.contents.len())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_stored_is_found_by_everyone() {
    let mut script = Script::new();
    let [ada, bob] = ["ada", "bob"].map(|identity| script.guest(identity));
    let pose = schema("Pose", Some(SchemaEncoding::WellKnown(1)));
    store(&mut script, &ada, blob(Some(generic("calibration")), 3)).unwrap();
    store(&mut script, &ada, blob(Some(pose.clone()), 5)).unwrap();
    assert_eq!(get(&mut script, &bob, "ada", Some(generic("calibration"))), Ok(3));
    assert_eq!(get(&mut script, &bob, "ada", Some(pose.clone())), Ok(5));
    assert_eq!(get(&mut script, &ada, "ada", Some(pose.clone())), Ok(5), "its own, too");
    store(&mut script, &ada, blob(Some(pose.clone()), 7)).unwrap();
    assert_eq!(get(&mut script, &bob, "ada", Some(pose.clone())), Ok(7), "the newer one");
    let other = schema("Pose", Some(SchemaEncoding::WellKnown(2)));
    assert_eq!(get(&mut script, &bob, "ada", Some(other)), Err(Reason::NotFound));
}

#[test]
fn each_refusal_has_its_reason() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let custom = |name: &str| Some(schema("Pose", Some(SchemaEncoding::Custom(name.to_owned()))));
    let mut refused = |blob, reason| assert_eq!(store(&mut script, &ada, blob), Err(reason));
    refused(None, Reason::InvalidRequest);
    refused(blob(None, 1), Reason::InvalidRequest);
    refused(blob(Some(generic("")), 1), Reason::InvalidRequest);
    refused(blob(Some(generic(&"k".repeat(257))), 1), Reason::InvalidRequest);
    refused(blob(Some(schema("", None)), 1), Reason::InvalidRequest);
    refused(blob(custom(""), 1), Reason::InvalidRequest);
    refused(blob(custom(&"e".repeat(33)), 1), Reason::InvalidRequest);
    refused(blob(Some(generic("k")), 0), Reason::InvalidRequest);
    refused(blob(Some(generic("k")), 64_000), Reason::LimitExceeded);
    assert_eq!(get(&mut script, &ada, "ada", None), Err(Reason::InvalidRequest));
    assert_eq!(get(&mut script, &ada, "nobody", Some(generic("k"))), Err(Reason::NotFound));
    assert_eq!(get(&mut script, &ada, "ada", Some(generic("k"))), Err(Reason::NotFound));
    store(&mut script, &ada, blob(Some(generic(&"k".repeat(256))), 1)).expect("a key of 256 bytes is right");
    store(&mut script, &ada, blob(custom(&"e".repeat(32)), 1)).expect("an encoding of 32 bytes is right");
    assert_eq!(script.room.counters().blobs_refused, 12);
}

#[test]
fn all_blobs_of_a_participant_are_bounded_together() {
    let mut script = Script::new();
    let [ada, bob] = ["ada", "bob"].map(|identity| script.guest(identity));
    store(&mut script, &ada, blob(Some(generic("a")), 31_999)).unwrap();
    store(&mut script, &ada, blob(Some(generic("b")), 31_999)).unwrap();
    let third = blob(Some(generic("c")), 1);
    assert_eq!(store(&mut script, &ada, third.clone()), Err(Reason::LimitExceeded));
    store(&mut script, &bob, third.clone()).expect("each participant has its own room");
    store(&mut script, &ada, blob(Some(generic("b")), 10)).expect("a replacement gives bytes back");
    store(&mut script, &ada, third).unwrap();
}

#[test]
fn blobs_live_with_the_session() {
    let mut script = Script::new();
    let [ada, bob] = ["ada", "bob"].map(|identity| script.guest(identity));
    store(&mut script, &ada, blob(Some(generic("k")), 4)).unwrap();
    let sid = script.sid(&ada);
    script.resume(&ada, &sid);
    assert_eq!(get(&mut script, &bob, "ada", Some(generic("k"))), Ok(4), "a resume keeps them");
    script.guest("ada");
    assert_eq!(get(&mut script, &bob, "ada", Some(generic("k"))), Err(Reason::NotFound));
}

#[test]
fn a_hidden_participant_is_not_there_for_others() {
    let mut script = Script::new();
    let ghost = script.join(Arrival::new("ghost").grant(|grant| grant.hidden = true));
    let bob = script.guest("bob");
    store(&mut script, &ghost, blob(Some(generic("k")), 4)).unwrap();
    assert_eq!(get(&mut script, &ghost, "ghost", Some(generic("k"))), Ok(4));
    assert_eq!(get(&mut script, &bob, "ghost", Some(generic("k"))), Err(Reason::NotFound));
}

#[test]
fn they_can_be_switched_off() {
    let mut script = Script::with(RoomConfig { blobs: None, ..RoomConfig::default() });
    let ada = script.guest("ada");
    assert_eq!(store(&mut script, &ada, blob(Some(generic("k")), 1)), Err(Reason::NotAllowed));
    assert_eq!(get(&mut script, &ada, "ada", Some(generic("k"))), Err(Reason::NotAllowed));
}
