//! Encrypted tracks.

use super::site::{Client, Site, write_forever};

const PASSPHRASE: [(&str, &str); 1] = [("TRACKYARD_E2EE_PASSPHRASE", "correct horse")];

fn encrypted(site: &Site) -> Client {
    let args = ["pub", "secret", "--identity", "robot", "--rate", "50Hz"];
    let mut publisher = site.track_with(&args, &PASSPHRASE);
    write_forever(publisher.stdin(), &["the plan"]);
    publisher
}

#[test]
fn the_right_passphrase_opens_frames_and_no_other() {
    let site = Site::start();
    let _publisher = encrypted(&site);
    let echo = ["echo", "secret", "--utf8", "--count", "2", "--for"];
    let said = site.track_with(&[&echo[..], &["30s"]].concat(), &PASSPHRASE).finish();
    assert_eq!(said.text(), "the plan\nthe plan\n");

    let wrong = [("TRACKYARD_E2EE_PASSPHRASE", "wrong horse")];
    let said = site.track_with(&[&echo[..], &["2s"]].concat(), &wrong).finish();
    said.failed(124, &["warning: frames of robot/secret cannot be decrypted: ", "0 of 2 frames have come"]);
    assert!(said.out.is_empty() && !said.err.contains("horse"), "{}", said.err);

    let said = site.track(&[&echo[..], &["2s"]].concat()).finish();
    said.failed(1, &["robot/secret", "give --e2ee-passphrase"]);
}

#[test]
fn that_a_track_is_encrypted_is_told_without_the_passphrase() {
    let site = Site::start();
    let _publisher = encrypted(&site);
    let said = site.track(&["info", "secret", "--json"]).finish();
    let json = said.json();
    assert_eq!((&json["encrypted"], &json["traffic"]["frames"]), (&true.into(), &0.into()));
    assert!(said.err.contains("the track is encrypted"), "{}", said.err);
    let wrong = [("TRACKYARD_E2EE_PASSPHRASE", "wrong horse")];
    let said = site.track_with(&["info", "secret", "--json"], &wrong).finish();
    assert_eq!(said.json()["traffic"]["frames"], 0);
    assert!(said.err.contains("warning: frames of robot/secret cannot be decrypted: "), "{}", said.err);
    let said = site.track_with(&["info", "secret", "--json"], &PASSPHRASE).finish();
    assert_ne!(said.json()["traffic"]["frames"], 0, "{}", said.err);
    let text = site.track(&["list"]).finish();
    assert_eq!(text.text(), "robot\n  robot/secret  [encrypted]\n");
}
