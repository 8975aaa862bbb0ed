//! What `pub` takes is what `echo` gives, in every form.

use serde_json::json;

use super::site::{Site, TempDir, keys, write_forever};

const LINES: [&str; 3] = ["{\"x\":1,\"y\":[2]}", "\"zwei\"", "3"];

/// What `echo` prints with these arguments of five lines.
fn echoed(args: &[&str]) -> String {
    let site = Site::start();
    let mut publisher = site.publish("robot", &["pose"]);
    write_forever(publisher.stdin(), &LINES);
    let echo = site.track(&[&["echo", "pose", "--count", "5", "--for", "30s"], args].concat());
    echo.finish().text().to_owned()
}

/// Frames are lines, whole, and not always the same.
#[track_caller]
fn check_lines(printed: &[&str]) {
    assert_eq!(printed.len(), 5);
    assert!(printed.iter().all(|line| LINES.contains(line)), "{printed:?}");
    assert!(printed.iter().any(|line| *line != printed[0]), "{printed:?}");
}

#[test]
fn lines_come_as_text() {
    let text = echoed(&["--utf8"]);
    check_lines(&text.lines().collect::<Vec<_>>());
}

#[test]
fn lines_of_json_come_with_indentation() {
    let text = echoed(&["--json-lines"]);
    let documents: Vec<_> =
        serde_json::Deserializer::from_str(&text).into_iter().map(Result::unwrap).collect();
    let documents: Vec<String> = documents.iter().map(serde_json::Value::to_string).collect();
    check_lines(&documents.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(text.contains("{\n  \"x\": 1,"), "{text}");
}

#[test]
fn frames_come_in_hex_with_a_line_about_each() {
    let text = echoed(&[]);
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("robot/pose #")).collect();
    assert_eq!(heads.len(), 5, "{text}");
    assert!(text.contains(", 6 bytes\n00000000  22 7a 77 65 69 22"), "{text}");
    assert!(text.contains("|\"zwei\"|\n"), "{text}");
}

#[test]
fn bytes_come_as_they_are() {
    let site = Site::start();
    let directory = TempDir::new("raw");
    let bytes: Vec<u8> = (0..70_000_u32).map(|number| (number % 251) as u8).collect();
    let file = directory.file("map.bin", &bytes);
    let _publisher = site.publish("robot", &["map", "--file", &file, "--loop"]);
    let said = site.track(&["echo", "map", "--raw", "--count", "3", "--for", "30s"]).finish();
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out == bytes.repeat(3), "{} bytes differ", said.out.len());
}

#[test]
fn pictures_become_files_again() {
    let site = Site::start();
    let (from, to) = (TempDir::new("pictures"), TempDir::new("frames"));
    let picture = |number: u8| [&[0xff, 0xd8, 0xff, number][..], &vec![number; 20_000]].concat();
    for number in 0..3 {
        from.file(&format!("{number}.jpg"), &picture(number));
    }
    from.file("notes.txt", b"no picture");
    let pattern = format!("{}/*.jpg", from.path());
    let _publisher = site.publish("robot", &["camera/front", "--images", &pattern, "--loop"]);
    let args = ["echo", "camera/front", "--files", to.path(), "--count", "6", "--for", "30s"];
    let said = site.track(&args).finish();
    assert!(said.text().is_empty() && said.err.contains("6 files in"), "{}", said.err);
    let files = to.files();
    assert_eq!(files.len(), 6);
    for (name, bytes) in &files {
        let number = name.strip_prefix("camera_front-").and_then(|name| name.strip_suffix(".jpg"));
        assert!(number.is_some_and(|number| number.parse::<u64>().is_ok()), "{name}");
        assert!((0..3).any(|number| *bytes == picture(number)), "{name}");
    }
    assert!(files.iter().any(|file| file.1 != files[0].1));
}

#[test]
fn what_is_no_picture_is_refused() {
    let site = Site::start();
    let directory = TempDir::new("no-pictures");
    directory.file("a.jpg", b"GIF89a");
    let refused = |pattern: &str| site.track(&["pub", "camera", "--images", pattern]).finish();
    refused(&format!("{}/*.jpg", directory.path())).failed(2, &["a.jpg is no JPEG picture"]);
    refused(&format!("{}/*.png", directory.path())).failed(2, &["no file is found by"]);
}

#[test]
fn frames_come_as_objects_with_the_same_keys() {
    let site = Site::start();
    let counter = ["load", "--size", "1KiB", "--pattern", "counter", "--timestamp", "--encoding", "json"];
    let _publisher = site.publish("robot", &counter);
    let said = site.track(&["echo", "robot/load", "--json", "--count", "4", "--for", "30s"]).finish();
    let mut frames = said.lines();
    frames.retain(|frame| frame["type"] == "frame");
    assert_eq!(frames.len(), 4);
    let number = |frame: &serde_json::Value| {
        u64::from_str_radix(&frame["payload"].as_str().unwrap()[..16], 16).unwrap()
    };
    let sequence = |frame: &serde_json::Value| frame["sequence"].as_u64().unwrap();
    for frame in &frames {
        assert_eq!(
            keys(frame),
            [
                "age_ms",
                "last_will",
                "latched",
                "payload",
                "payload_format",
                "publisher",
                "sequence",
                "size",
                "timestamp",
                "track",
                "type"
            ]
        );
        assert_eq!((&frame["payload_format"], &frame["last_will"]), (&json!("hex"), &json!(false)));
        assert_eq!((&frame["publisher"], &frame["track"]), (&json!("robot"), &json!("load")));
        assert_eq!((&frame["size"], frame["payload"].as_str().unwrap().len()), (&json!(1024), 2048));
        // Frames that never left have a number in the payload alone.
        assert!(number(frame) - number(&frames[0]) >= sequence(frame) - sequence(&frames[0]));
        assert!(frame["age_ms"].as_u64().unwrap() < 5_000, "{frame}");
    }
    assert!(frames.windows(2).all(|two| number(&two[0]) < number(&two[1])), "{frames:?}");
}

#[test]
fn payloads_in_objects_are_text_or_json_if_they_are() {
    let site = Site::start();
    let mut publisher = site.publish("robot", &["pose"]);
    write_forever(publisher.stdin(), &["{\"x\":1}"]);
    let echo = |shape: &str| {
        let args = ["echo", "pose", "--json", shape, "--count", "1", "--for", "30s"];
        let frame = site.track(&args).finish().json();
        (frame["payload_format"].clone(), frame["payload"].clone(), frame["timestamp"].clone())
    };
    assert_eq!(echo("--utf8"), (json!("utf8"), json!("{\"x\":1}"), json!(null)));
    assert_eq!(echo("--json-lines"), (json!("json"), json!({ "x": 1 }), json!(null)));
}

#[test]
fn two_peer_connections_serve_as_well() {
    let site = Site::start();
    let _publisher = site.publish("robot", &["load", "--size", "64", "--dual"]);
    let said = site.track(&["echo", "load", "--raw", "--count", "2", "--for", "30s", "--dual"]).finish();
    assert_eq!((said.code, said.out.len()), (Some(0), 128), "{}", said.err);
}

#[test]
fn a_token_says_who_and_where() {
    let site = Site::start();
    let made = crate::support::run(&["token", "create", "--dev", "--room", "yard", "--identity", "arm"]);
    let env = [("LIVEKIT_TOKEN", made.out.trim())];
    let _publisher = site.track_with(&["pub", "load", "--size", "64"], &env);
    let said =
        site.track(&["echo", "arm/load", "--room", "yard", "--raw", "--count", "1", "--for", "30s"]).finish();
    assert_eq!((said.code, said.out.len()), (Some(0), 64), "{}", said.err);
}

#[test]
fn silence_is_told_in_the_time_given() {
    let site = Site::start();
    let mut publisher = site.publish("robot", &["commands"]);
    let mut lines = publisher.stdin();
    let mut echo = site.track(&["echo", "commands", "--json", "--utf8", "--deadline", "200ms"]);
    let (first, _rest) = echo.first_line();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&first).unwrap(),
        json!({ "type": "silent", "publisher": "robot", "track": "commands" })
    );
    drop(echo);
    let mut echo = site.track(&["echo", "commands", "--deadline", "200ms"]);
    echo.warned("note: no frame has come within the deadline");
    std::io::Write::write_all(&mut lines, b"stop\n").unwrap();
    assert!(echo.first_line().0.starts_with("robot/commands #"));
}
