//! `trackyard track list`.

use super::site::{Site, keys};

#[test]
fn everyone_is_listed_and_observers_are_not_seen() {
    let site = Site::start();
    let mut observer = site.track(&["list", "--watch", "--identity", "observer"]);
    let args = ["camera", "--size", "64", "--encoding", "mine", "--schema", "idl:x"];
    let _publisher = site.publish("robot", &args);
    let (line, _rest) = observer.first_line();
    assert_eq!(line, "+ robot\n");
    // It is published once it is found.
    let info = site.track(&["info", "camera", "--for", "10ms"]).finish();
    assert_eq!(info.code, Some(0), "{}", info.err);
    let people = site.track(&["list", "--json"]).finish().json();
    assert_eq!(people.as_array().unwrap().len(), 1, "{people}");
    assert_eq!(keys(&people[0]), ["attributes", "identity", "metadata", "name", "sid", "tracks"]);
    assert_eq!(people[0]["identity"], "robot");
    let track = &people[0]["tracks"][0];
    assert_eq!(keys(track), ["encoding", "encrypted", "name", "schema", "sid"]);
    assert_eq!((&track["name"], &track["encoding"]), (&"camera".into(), &"mine".into()));
    assert_eq!((&track["schema"]["language"], &track["schema"]["name"]), (&"idl".into(), &"x".into()));
    let text = site.track(&["list"]).finish();
    assert_eq!(text.text(), "robot\n  robot/camera  [mine, idl:x]\n");
}

#[test]
fn an_empty_room_is_an_empty_list() {
    let site = Site::start();
    let said = site.track(&["list"]).finish();
    assert_eq!((said.text(), said.err.contains("note: nobody is in the room")), ("", true));
    assert_eq!(site.track(&["list", "--json"]).finish().json(), serde_json::json!([]));
}

#[test]
fn those_who_were_there_are_told_first_to_those_who_watch() {
    let site = Site::start();
    let _publisher = site.publish("robot", &["pose", "--size", "64"]);
    let info = site.track(&["info", "pose", "--for", "10ms"]).finish();
    assert_eq!(info.code, Some(0), "{}", info.err);
    for (args, expected) in [
        (&["list", "--watch"][..], ["+ robot\n", "+ robot/pose\n"]),
        (
            &["list", "--watch", "--json"],
            ["\"event\":\"participant_joined\"", "\"event\":\"track_published\""],
        ),
    ] {
        let mut list = site.track(args);
        let (first, mut rest) = list.first_line();
        let mut second = String::new();
        std::io::BufRead::read_line(&mut rest, &mut second).unwrap();
        assert!(first.contains(expected[0]) && second.contains(expected[1]), "{first}{second}");
        assert_eq!(list.interrupt().code, Some(0));
    }
}
