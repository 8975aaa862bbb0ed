//! Where a URL leads to, as far as its text says.

use std::net::IpAddr;

/// Whether it leads to this machine.
pub(crate) fn is_loopback(url: &str) -> bool {
    let rest = url.trim().split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // What stands before an `@` is no host.
    if authority.contains('@') {
        return false;
    }
    let host = host(authority);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What may be shown of it: neither who asks nor what is asked for.
pub(crate) fn without_credentials(url: &str) -> String {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = shown.split_once("://") else { return shown.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// Without port and brackets.
fn host(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        for (url, shown) in [
            ("ws://localhost:7880/p", "ws://localhost:7880/p"),
            ("wss://me:hidden@h:1/a@b?token=hidden#hidden", "wss://h:1/a@b"),
            ("ws://me:hid@den@[::1]", "ws://[::1]"),
            ("no url?hidden", "no url"),
        ] {
            assert_eq!(without_credentials(url), shown, "{url}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for url in ["ws://localhost:7880", "http://LOCALHOST/p", "wss://127.0.0.9", "ws://[::1]:1/rtc?x"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "ws://example.org",
            "ws://localhost.org",
            "ws://localhost:1@evil",
            "ws://10.0.0.1",
            "ws://[fe80::1]",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
