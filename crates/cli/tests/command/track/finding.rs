//! Tracks that are not there, or more than once, or come later.

use super::site::Site;

#[test]
fn what_is_not_there_ends_with_4_and_a_list_of_what_is() {
    let site = Site::start();
    let mut list = site.track(&["list", "--watch"]);
    let _publisher = site.publish("robot", &["pose", "--size", "64"]);
    let (_, _events) = list.first_line();
    for verb in ["echo", "hz", "bw", "delay", "info"] {
        let said = site.track(&[verb, "robot/nothing", "--timeout", "2s"]).finish();
        said.failed(4, &["no data track `robot/nothing` in room `demo`", "; there is:\n  robot/pose"]);
    }
    let said = site.track(&["echo", "pose", "--room", "empty", "--timeout", "2s"]).finish();
    said.failed(4, &["; no data track is published"]);
}

#[test]
fn what_is_there_twice_ends_with_4_and_a_list_unless_it_is_said_which() {
    let site = Site::start();
    let _one = site.publish("robot-1", &["pose", "--size", "1"]);
    let _two = site.publish("robot-2", &["pose", "--size", "2"]);
    let echo = |track: &str| {
        site.track(&["echo", track, "--raw", "--count", "1", "--for", "30s", "--timeout", "30s"]).finish()
    };
    assert_eq!(echo("robot-2/pose").out.len(), 2);
    assert_eq!(echo("robot-1/pose").out.len(), 1);
    echo("pose").failed(4, &["`pose` is several tracks; say which:\n  robot-1/pose\n  robot-2/pose"]);
}

#[test]
fn what_comes_later_is_waited_for() {
    let site = Site::start();
    let mut echo = site.track(&["echo", "a/b/pose", "--utf8", "--count", "1", "--timeout", "30s"]);
    echo.warned("note: no key is given; joining `demo` with `devkey`");
    let mut publisher = site.publish("a", &["b/pose"]);
    super::site::write_forever(publisher.stdin(), &["here"]);
    assert_eq!(echo.first_line().0, "here\n");
}

#[test]
fn what_does_not_come_ends_with_124() {
    let site = Site::start();
    let mut publisher = site.track(&["pub", "silent", "--identity", "robot"]);
    let _open = publisher.stdin();
    for verb in ["echo", "hz", "bw", "delay"] {
        let said = site.track(&[verb, "silent", "--for", "300ms"]).finish();
        said.failed(124, &["no frame has come in the time given"]);
    }
    let _load = site.publish("robot-2", &["load", "--size", "64"]);
    let said = site.track(&["echo", "load", "--count", "1000", "--for", "1s"]).finish();
    said.failed(124, &[" of 1000 frames have come in the time given"]);
}
