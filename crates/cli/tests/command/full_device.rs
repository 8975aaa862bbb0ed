//! What is written where nothing can be written is lost, and nothing else is.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trackyard"));
    command.args(arguments).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

/// A pipe that nobody reads any more.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn errors_that_nobody_can_be_told_end_with_their_code() {
    for gone in [full, closed] {
        let check = |arguments: &[&str], code: i32| {
            let status = command(arguments).stdout(Stdio::null()).stderr(gone()).status().unwrap();
            assert_eq!(status.code(), Some(code), "{arguments:?}: {:?}", status.signal());
        };
        check(&["serve", "--config", "/nowhere.yaml"], 2);
        check(&["serve", "--port", "70000"], 2);
        check(&["track", "list", "--url", "ftp://nowhere"], 2);
        check(&["track", "list", "--url", "ws://127.0.0.1:1", "--timeout", "1s"], 3);
        check(&["nothing"], 2);
    }
}

#[test]
fn output_that_a_full_device_does_not_take_is_an_error() {
    let mut ran = command(&[
        "token",
        "create",
        "--room",
        "yard",
        "--identity",
        "a",
        "--api-key",
        "k",
        "--api-secret",
        "s",
    ])
    .stdout(full())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut said = String::new();
    ran.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(ran.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("standard output cannot be written"), "{said}");
}
