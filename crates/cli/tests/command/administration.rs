//! `trackyard room` and `trackyard participant`, against a server of their own.

use std::process::{Child, Stdio};

use serde_json::Value;

use super::support::{Ran, Server, command, run, run_with};

struct Site {
    _server: Server,
    url: String,
}

impl Site {
    fn start() -> Self {
        let ports = ["--port", "0", "--udp-port", "0", "--tcp-port", "0"];
        let mut server = Server::start(&[&["dev", "--log-level", "error"], &ports[..]].concat());
        let banner = server.until("Ctrl-C stops the server.");
        let url = banner.split_whitespace().find(|word| word.starts_with("ws://")).unwrap();
        Self { url: url.to_owned(), _server: server }
    }

    fn run(&self, args: &[&str]) -> Ran {
        run_with(args, &[("LIVEKIT_URL", &self.url)])
    }

    /// What a run that went well has printed.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// Somebody who publishes `pose` in the room `yard`, once that can be seen.
    fn publisher(&self, identity: &str) -> Publisher {
        let args =
            ["track", "pub", "pose", "--room", "yard", "--identity", identity, "--size", "64", "--wait", "0"];
        let mut command = command(&args);
        command.env("LIVEKIT_URL", &self.url).stdout(Stdio::null()).stderr(Stdio::null());
        let publisher = Publisher(command.spawn().unwrap());
        let seen = self.run(&["track", "info", "pose", "--room", "yard", "--for", "10ms"]);
        assert_eq!(seen.code, 0, "{}", seen.err);
        publisher
    }
}

struct Publisher(Child);

impl Drop for Publisher {
    fn drop(&mut self) {
        // It has ended already, or is to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn rooms_are_made_listed_and_ended() {
    let site = Site::start();
    assert_eq!(site.json(&["room", "list"]), serde_json::json!([]));
    let args =
        ["room", "create", "yard", "--empty-timeout", "90s", "--max-participants", "3", "--metadata", "m"];
    let made = site.json(&args);
    let expected = [
        "created_at_ms",
        "departure_timeout_s",
        "empty_timeout_s",
        "max_participants",
        "metadata",
        "name",
        "participants",
        "publishers",
        "sid",
    ];
    assert_eq!(keys(&made), expected);
    assert_eq!(
        (&made["empty_timeout_s"], &made["max_participants"], &made["metadata"]),
        (&90.into(), &3.into(), &"m".into())
    );
    assert_eq!(site.run(&["room", "create", "shed"]).code, 0);
    let text = site.run(&["room", "list"]).out;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("shed  0 participants, 0 publishing  RM_"), "{text}");
    assert!(lines[1].starts_with("yard  0 of 3 participants, 0 publishing  RM_"), "{text}");
    let one = site.json(&["room", "list", "yard", "nowhere"]);
    assert_eq!((one.as_array().unwrap().len(), &one[0]["sid"]), (1, &made["sid"]));
    let gone = site.json(&["room", "delete", "yard"]);
    assert_eq!(gone, serde_json::json!({ "room": "yard", "deleted": true }));
    let again = site.run(&["room", "delete", "yard"]);
    assert_eq!((again.code, again.err.contains("requested room does not exist")), (4, true), "{}", again.err);
}

#[test]
fn participants_are_listed_changed_and_removed() {
    let site = Site::start();
    let mut robot = site.publisher("robot");
    let in_yard = ["--room", "yard"];
    let people = site.json(&[&["participant", "list"], &in_yard[..]].concat());
    let [info] = people.as_array().unwrap().as_slice() else { panic!("{people}") };
    assert_eq!(
        (&info["identity"], &info["state"], &info["tracks"][0]["name"]),
        (&"robot".into(), &"active".into(), &"pose".into())
    );
    assert_eq!(
        keys(info),
        [
            "attributes",
            "identity",
            "joined_at_ms",
            "kind",
            "media_tracks",
            "metadata",
            "name",
            "permission",
            "sid",
            "state",
            "tracks"
        ]
    );
    let update =
        |args: &[&str]| site.json(&[&["participant", "update", "robot"], &in_yard[..], args].concat());
    let named = update(&["--name", "Robot 1", "--attribute", "site=north", "--attribute", "x=y"]);
    assert_eq!((&named["name"], &named["attributes"]["site"]), (&"Robot 1".into(), &"north".into()));
    let deleted = update(&["--attribute", "x="]);
    assert_eq!(deleted["attributes"], serde_json::json!({ "site": "north" }));
    let muzzled = update(&["--can-publish-data=false"]);
    assert_eq!(
        (
            &muzzled["permission"]["can_publish_data"],
            &muzzled["permission"]["can_subscribe"],
            &muzzled["tracks"]
        ),
        (&false.into(), &true.into(), &serde_json::json!([])),
        "what is not said stays, and what is no longer allowed goes"
    );
    let text = site.run(&[&["participant", "list"], &in_yard[..]].concat()).out;
    assert!(text.starts_with("robot (Robot 1)  active  PA_") && text.contains("\n  site=north\n"), "{text}");
    assert_eq!(site.run(&[&["participant", "remove", "robot"], &in_yard[..]].concat()).code, 0);
    assert!(!robot.0.wait().unwrap().success(), "it was sent away");
    let again = site.run(&[&["participant", "remove", "robot"], &in_yard[..]].concat());
    assert_eq!(again.code, 4, "{}", again.err);
}

#[test]
fn what_cannot_be_asked_or_is_not_allowed_has_its_exit_code() {
    let site = Site::start();
    let check = |args: &[&str], env: &[(&str, &str)], code: i32, words: &str| {
        let ran = run_with(args, env);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
    };
    let url = ("LIVEKIT_URL", site.url.as_str());
    let key = ("LIVEKIT_API_KEY", "devkey");
    check(&["room", "list"], &[url, key, ("LIVEKIT_API_SECRET", "wrong")], 3, "does not allow this");
    check(&["room", "list"], &[url, key], 2, "LIVEKIT_API_SECRET is not");
    check(&["room", "list"], &[("LIVEKIT_URL", "wss://example.org")], 2, "nothing to ask with");
    check(&["room", "list", "--url", "ftp://example.org", "--token", "x"], &[], 2, "--url: ");
    check(&["room", "list", "--url", "http://127.0.0.1:9"], &[], 3, "cannot connect");
    check(&["participant", "update", "robot", "--room", "yard"], &[url], 2, "nothing to change");
    check(&["participant", "list"], &[url], 2, "--room");
    check(&["participant", "update", "nobody", "--room", "yard", "--name", "x"], &[url], 4, "not exist");
    let token = run(&["token", "create", "--dev", "--room", "yard", "--identity", "me"]).out;
    check(&["room", "list"], &[url, ("LIVEKIT_TOKEN", token.trim())], 3, "does not allow this");
    let token = run(&["token", "create", "--dev", "--list"]).out;
    assert_eq!(run_with(&["room", "list"], &[url, ("LIVEKIT_TOKEN", token.trim())]).code, 0);
}
