//! `trackyard serve` and `trackyard dev`, from their start to their end.

#[cfg(target_os = "linux")]
use super::support::with_hang_up;
use super::support::{Server, TempFile, run, run_with};

#[test]
fn a_development_server_says_how_to_connect_and_ends_with_ctrl_c() {
    let mut server = Server::start(&["dev", "--port", "0", "--udp-port", "0", "--tcp-port", "0"]);
    let text = server.until("Ctrl-C stops the server.");
    for part in [
        "Trackyard is ready.",
        "Demo     http://localhost:",
        "URL      ws://localhost:",
        "Key      devkey",
        "Secret   secret",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let token = text.lines().find(|line| line.starts_with("ey")).unwrap();
    let keys = trackyard_auth::Keys::parse("devkey: secret").unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(keys.verify(token, now).unwrap().claims.video.unwrap().room, "demo");
    assert_eq!(server.interrupt(), Some(0));
}

#[test]
fn a_development_server_shows_no_secret_but_the_one_that_everybody_knows() {
    let file = TempFile::new("dev.yaml", "keys: {devkey: of-my-own}\n");
    let ports = ["--port", "0", "--udp-port", "0", "--tcp-port", "0"];
    let mut server = Server::start(&[&["dev", "--config", file.path()], &ports[..]].concat());
    let text = server.until("Ctrl-C stops the server.");
    assert!(text.contains("Secret   (as configured)"), "{text}");
    assert!(!text.contains("of-my-own") && !text.contains("--dev "), "{text}");
    assert_eq!(server.interrupt(), Some(0));
}

/// Tests may run where it is ignored, and so would whatever they start.
#[cfg(target_os = "linux")]
#[test]
fn the_end_of_a_terminal_stops_a_server_unless_it_is_ignored() {
    let server = |disposition| {
        let ports = ["--port", "0", "--udp-port", "0", "--tcp-port", "0"];
        let mut server = Server::spawn(with_hang_up(disposition, &[&["dev"], &ports[..]].concat()));
        server.until("Ctrl-C stops the server.");
        server
    };
    assert_eq!(server("--default-signal=HUP").signal("-HUP"), Some(0));
    let ignoring = server("--ignore-signal=HUP");
    assert!(ignoring.ignores_hang_up());
    assert_eq!(ignoring.interrupt(), Some(0));
}

#[test]
fn a_server_without_keys_is_not_started() {
    let ran = run(&["serve"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("error: there are no API keys; set `keys` or `key_file`"), "{}", ran.err);
}

#[test]
fn mistakes_of_flags_and_variables_name_them() {
    let ran =
        run_with(&["serve", "--port", "x", "--bind", "here", "--workers", "0"], &[("NODE_IP", "there")]);
    assert_eq!(ran.code, 2);
    for part in [
        "error: --port: `port` is `x`",
        "error: --bind: `bind_addresses` is `here`",
        "error: --workers: `workers` is `0`",
        "error: NODE_IP: `rtc.node_ip` is `there`",
    ] {
        assert!(ran.err.contains(part), "{part} in {}", ran.err);
    }
}

#[test]
fn a_port_in_use_ends_with_1_and_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let ran = run(&["dev", "--port", &address.port().to_string(), "--udp-port", "0", "--tcp-port", "0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains(&format!("error: {address} cannot be listened on")), "{}", ran.err);
}

#[test]
fn a_wrong_file_keeps_a_server_from_starting() {
    let file = TempFile::new("serve.yaml", "rtc: {udp_prot: 1}\n");
    let ran = run(&["serve", "--config", file.path()]);
    assert_eq!(ran.code, 2);
    let expected =
        format!("error: {}:1: unknown key `rtc.udp_prot`; did you mean `rtc.udp_port`?\n", file.path());
    assert!(ran.err.ends_with(&expected), "{}", ran.err);
}

#[test]
fn a_wrong_filter_for_the_log_is_named() {
    let ran = run_with(&["dev", "--port", "0"], &[("RUST_LOG", "a=b=c=d")]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error: RUST_LOG is `a=b=c=d`"), "{}", ran.err);
}
