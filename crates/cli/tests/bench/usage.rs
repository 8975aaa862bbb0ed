//! What makes no sense ends with 2, in the words of whoever has read it.

use super::site::{command, run};

#[track_caller]
fn check(args: &[&str], message: &str) {
    let ran = run(command(&[&["bench"], args].concat()));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains(message) && ran.out.is_empty(), "{}", ran.err);
}

#[test]
fn bad_units_are_refused_by_their_parser() {
    check(&["--size", "5parsecs"], "`parsecs` is no unit here; use one of b, kb, mb");
    check(&["--size", "1KiB,x"], "`x` does not begin with a number; write it like 64B, 75KiB or 1MiB");
    check(&["--rate", "0Hz"], "`0Hz` is out of range; more than nothing");
    check(&["--for", "30x"], "`x` is no unit here");
    check(&["--fail-if-delivery-below", "101%"], "`101%` is out of range; from 0% to 100%");
    check(&["--link", "speed:5Mbit"], "`speed:5Mbit` is no part of a link; write it like rate:5mbit");
}

#[test]
fn plans_that_cannot_be_carried_out_are_refused() {
    check(&["--size", "10B"], "frame size 10B is too small; at least 40B");
    check(&["--subscribers", "1,5000"], "number of subscribers 5000 is too large; at most 1000");
    check(&["--rate", "0.1Hz", "--for", "1s"], "no frame is due within 1s at 0.1Hz; measure for longer");
}

#[test]
fn what_cannot_be_measured_is_refused_before_anything_is_done() {
    check(&["--url", "wss://127.0.0.1:1", "--link", "rtt:1ms"], "--link needs a server at a ws:// URL");
    check(&["--link-for", "both"], "--link <LINK>");
    check(&["--token", "x"], "a token lets one client in, and a benchmark has several");
    check(&["--pid", "4294967295"], "process 4294967295 cannot be watched");
    check(&["--csv", "/nonexistent/x.csv"], "/nonexistent/x.csv cannot be written");
}
