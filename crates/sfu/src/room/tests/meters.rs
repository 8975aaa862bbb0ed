//! Tracks that are counted on their own.

use trackyard_proto::Request;

use super::harness::Script;
use crate::room::RoomConfig;

#[test]
fn tracks_are_metered_if_so_configured_and_while_they_are_there() {
    let config = RoomConfig { name: "lab".into(), meter_tracks: true, ..RoomConfig::default() };
    let mut script = Script::with(config);
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let info = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &info.sid);
    let [figures] = script.room.track_figures().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((figures.publisher.as_str(), figures.name.as_str(), figures.subscribers), ("ada", "pose", 1));
    figures.meter.count(100);
    figures.meter.count(50);
    let [figures] = script.room.track_figures().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((figures.meter.packets(), figures.meter.bytes()), (2, 150));
    script.say(&ada, Request::unpublish_data_track(1));
    assert_eq!(script.room.track_figures().count(), 0);
}

#[test]
fn tracks_are_not_metered_unless_asked_for() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    script.publish(&ada, 1, "pose").unwrap();
    assert_eq!(script.room.track_figures().count(), 0);
}
