//! Help, version and wrong usage.

use super::support::run;

/// Help goes to standard output and holds these words.
#[track_caller]
fn check_help(args: &[&str], words: &[&str]) {
    let ran = run(args);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for word in words {
        assert!(ran.out.contains(word), "`{word}` is missing in:\n{}", ran.out);
    }
}

#[test]
fn each_verb_explains_itself_with_examples() {
    check_help(
        &["--help"],
        &[
            "serve",
            "dev",
            "check-config",
            "token",
            "track",
            "completions",
            "man",
            "Examples:",
            "Exit codes: 0 done, 1 failed, 2 wrong usage",
        ],
    );
    let flags = [
        "--config",
        "--config-body",
        "--key-file",
        "--keys",
        "--port",
        "--bind",
        "--node-ip",
        "--udp-port",
        "--tcp-port",
        "--dev",
        "--region",
        "--log-level",
        "--workers",
    ];
    check_help(&["serve", "--help"], &flags);
    check_help(
        &["serve", "--help"],
        &["LIVEKIT_KEYS", "LIVEKIT_CONFIG", "TRACKYARD_WORKERS", "What comes later wins", "Examples:"],
    );
    check_help(&["dev", "--help"], &["--lan", "--port", "Examples:"]);
    check_help(&["check-config", "--help"], &["--json", "--room", "--track", "Examples:"]);
    check_help(
        &["token", "create", "--help"],
        &["--identity", "--attribute", "--valid-for", "--publish-tracks", "LIVEKIT_API_KEY", "Examples:"],
    );
}

#[test]
fn each_verb_of_tracks_explains_itself_with_examples() {
    check_help(&["track", "--help"], &["list", "info", "pub", "echo", "hz", "bw", "delay"]);
    let connection = [
        "--url",
        "LIVEKIT_URL",
        "--api-key",
        "LIVEKIT_API_KEY",
        "--api-secret",
        "LIVEKIT_API_SECRET",
        "--token",
        "LIVEKIT_TOKEN",
        "--room",
        "--identity",
        "--timeout",
        "--root-certificate",
        "--e2ee-passphrase",
        "TRACKYARD_E2EE_PASSPHRASE",
        "--dual",
        "--json",
        "Examples:",
    ];
    for verb in ["list", "info", "pub", "echo", "hz", "bw", "delay"] {
        check_help(&["track", verb, "--help"], &connection);
    }
    check_help(&["completions", "--help"], &["bash", "zsh", "fish", "Examples:"]);
    check_help(&["man", "--help"], &["--out", "Examples:"]);
}

#[test]
fn each_verb_of_rooms_and_participants_explains_itself_with_examples() {
    check_help(&["room", "--help"], &["list", "create", "delete"]);
    check_help(&["participant", "--help"], &["list", "update", "remove"]);
    for verb in [
        ["room", "list"],
        ["room", "create"],
        ["room", "delete"],
        ["participant", "list"],
        ["participant", "update"],
        ["participant", "remove"],
    ] {
        let connection = ["--url", "LIVEKIT_URL", "--api-key", "LIVEKIT_API_SECRET", "--token", "--timeout"];
        check_help(&[&verb[..], &["--help"]].concat(), &connection);
        check_help(&[&verb[..], &["--help"]].concat(), &["--root-certificate", "--json", "Examples:"]);
    }
}

#[test]
fn each_verb_that_sends_or_shares_explains_itself_with_examples() {
    check_help(&["--help"], &["data", "text", "file", "rpc", "attr"]);
    check_help(&["file", "--help"], &["send", "receive"]);
    check_help(&["rpc", "--help"], &["call", "serve"]);
    check_help(&["attr", "--help"], &["get", "set", "watch"]);
    check_help(&["file", "receive", "--help"], &["--overwrite", "--size-max", "--from", "[default: 4GiB]"]);
    check_help(&["rpc", "serve", "--help"], &["--echo", "--reply", "TRACKYARD_CALLER", "killed"]);
    for verb in [
        ["data", "send"],
        ["text", "send"],
        ["file", "send"],
        ["file", "receive"],
        ["rpc", "call"],
        ["rpc", "serve"],
        ["attr", "get"],
        ["attr", "set"],
        ["attr", "watch"],
    ] {
        let help = [&verb[..], &["--help"]].concat();
        check_help(&help, &["--room", "--identity", "--token", "--timeout", "--e2ee-passphrase"]);
        check_help(&help, &["--json", "Examples:", &format!("trackyard {} ", verb.join(" "))]);
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let ran = run(&["--version"]);
    assert_eq!((ran.code, ran.out), (0, format!("trackyard {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [
        &[][..],
        &["sevre"],
        &["serve", "--prot", "1"],
        &["check-config"],
        &["check-config", "f", "--room", "r"],
        &["token"],
    ] {
        assert_eq!(run(args).code, 2, "{args:?}");
    }
}

#[test]
fn what_belongs_to_the_connection_comes_last() {
    for verb in ["list", "info", "pub", "echo", "hz", "bw", "delay"] {
        let help = run(&["track", verb, "--help"]).out;
        let (own, connection) = help.split_once("\nConnection:\n").unwrap();
        assert!(own.contains("--json") && !own.contains("--url"), "{help}");
        let options = connection.split("Examples:").next().unwrap();
        assert!(options.contains("--dual") && !options.contains("--json"), "{help}");
    }
}
