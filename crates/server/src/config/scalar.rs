//! What the words of a configuration mean.

use std::net::IpAddr;
use std::time::Duration;

use super::settings::{LogLevel, NodeIp, PortRange, ShutdownAction};

/// `true` and `false`, and the other spellings that LiveKit's server takes.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => Some(false),
        _ => None,
    }
}

/// A whole number, decimal or with `0x`, `0o` or `0b`; `_` may group digits.
pub(super) fn integer(text: &str) -> Option<i64> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let magnitude = magnitude(digits)?;
    if negative { magnitude.checked_neg() } else { Some(magnitude) }
}

fn magnitude(digits: &str) -> Option<i64> {
    let (digits, radix) = match digits.get(..2) {
        Some("0x" | "0X") => (&digits[2..], 16),
        Some("0o" | "0O") => (&digits[2..], 8),
        Some("0b" | "0B") => (&digits[2..], 2),
        _ => (digits, 10),
    };
    let signed = digits.starts_with(['+', '-']);
    if signed { None } else { i64::from_str_radix(digits, radix).ok() }
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain = text.replace('_', "");
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A duration with units, such as `1h30m`, `2.5s` or `100ms`; a bare `0` has none.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..]
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .map_or(rest.len(), |end| digits + end);
        seconds += amount * unit_seconds(&rest[digits..unit])?;
        rest = &rest[unit..];
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(seconds).ok() }
}

fn unit_seconds(unit: &str) -> Option<f64> {
    match unit {
        "ns" => Some(1e-9),
        "us" | "µs" | "μs" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    }
}

/// Seconds as a bare number, or a duration with units.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    match integer(text) {
        Some(seconds) => u32::try_from(seconds).ok().map(|seconds| Duration::from_secs(seconds.into())),
        None => duration(text).filter(|duration| duration.as_secs() <= u32::MAX.into()),
    }
}

/// A duration with units, or bare nanoseconds as LiveKit's server takes them.
pub(super) fn loose_duration(text: &str) -> Option<Duration> {
    match integer(text) {
        Some(nanoseconds) => u64::try_from(nanoseconds).ok().map(Duration::from_nanos),
        None => duration(text),
    }
}

/// 0 to 65535.
pub(super) fn port(text: &str) -> Option<u16> {
    integer(text).and_then(|port| u16::try_from(port).ok())
}

/// One port, or two with `-` between.
pub(super) fn port_range(text: &str) -> Option<PortRange> {
    let Some((first, last)) = text.split_once('-') else {
        return port(text).map(|port| PortRange { first: port, last: port });
    };
    let (first, last) = (port(first.trim())?, port(last.trim())?);
    (0 < first && first < last).then_some(PortRange { first, last })
}

/// What HTTP may be bound to; nothing and `localhost` are words for addresses.
pub(super) fn bind_address(text: &str) -> Option<IpAddr> {
    match text {
        "" => Some(IpAddr::from([0, 0, 0, 0])),
        "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
        _ => text.parse().ok(),
    }
}

/// One address, or one of each family with a comma between.
pub(super) fn node_ip(text: &str) -> Option<NodeIp> {
    let mut found = NodeIp::default();
    for part in text.split(',') {
        let before = match part.trim().parse().ok()? {
            IpAddr::V4(address) => found.v4.replace(address).map(IpAddr::V4),
            IpAddr::V6(address) => found.v6.replace(address).map(IpAddr::V6),
        };
        if before.is_some() {
            return None;
        }
    }
    Some(found)
}

/// How much is logged.
pub(super) fn log_level(text: &str) -> Option<LogLevel> {
    match text.to_ascii_lowercase().as_str() {
        "error" => Some(LogLevel::Error),
        "warn" | "warning" => Some(LogLevel::Warn),
        "info" => Some(LogLevel::Info),
        "debug" => Some(LogLevel::Debug),
        "trace" => Some(LogLevel::Trace),
        _ => None,
    }
}

/// What clients do when the server stops.
pub(super) fn shutdown_action(text: &str) -> Option<ShutdownAction> {
    match text {
        "disconnect" => Some(ShutdownAction::Disconnect),
        "reconnect" => Some(ShutdownAction::Reconnect),
        _ => None,
    }
}

/// `host:port`, or a host alone with the port of STUN.
pub(super) fn stun_server(text: &str) -> Option<String> {
    match text.rsplit_once(':') {
        Some((host, port_text)) if !host.is_empty() && !host.contains(':') => {
            port(port_text).map(|_| text.to_owned())
        }
        Some((host, port_text)) if host.starts_with('[') && host.ends_with(']') => {
            port(port_text).map(|_| text.to_owned())
        }
        Some(_) => None,
        None => (!text.is_empty()).then(|| format!("{text}:3478")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_with_units() {
        let check = |text: &str, milliseconds: Option<u64>| {
            assert_eq!(duration(text), milliseconds.map(Duration::from_millis), "{text}");
        };
        check("5m", Some(300_000));
        check("100ms", Some(100));
        check("1h30m", Some(5_400_000));
        check("1.5s", Some(1500));
        check("0", Some(0));
        check("0s", Some(0));
        for text in ["", "5", "ms", "5 m", "-5s", "5x", "1.2.3s", "99999999999999999999999h", "5m5"] {
            check(text, None);
        }
    }

    #[test]
    fn timeouts_are_bare_seconds_or_durations() {
        assert_eq!(seconds("300"), Some(Duration::from_secs(300)));
        assert_eq!(seconds("5m"), Some(Duration::from_secs(300)));
        assert_eq!(seconds("-1"), None);
        assert_eq!(seconds("4294967296"), None);
    }

    #[test]
    fn whole_numbers_may_be_grouped_and_have_a_base() {
        assert_eq!(integer("1_000_000"), Some(1_000_000));
        assert_eq!(integer("-1"), Some(-1));
        assert_eq!(integer("0x10"), Some(16));
        for text in ["", "-", "+-1", "0x", "0x-1", "1.5", "99999999999999999999", "ä1"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn ports_come_alone_or_in_ranges() {
        assert_eq!(port_range("7882"), Some(PortRange { first: 7882, last: 7882 }));
        assert_eq!(port_range("7882-7892"), Some(PortRange { first: 7882, last: 7892 }));
        assert_eq!(port_range("7882 - 7892"), Some(PortRange { first: 7882, last: 7892 }));
        for text in ["7892-7882", "7882-7882", "0-5", "1-2-3", "65536", "-1", "a"] {
            assert_eq!(port_range(text), None, "{text}");
        }
    }

    #[test]
    fn a_node_has_one_address_of_each_family() {
        assert_eq!(node_ip("203.0.113.1").unwrap().v4, Some([203, 0, 113, 1].into()));
        let both = node_ip("203.0.113.1, 2001:db8::1").unwrap();
        assert!(both.v4.is_some() && both.v6.is_some());
        for text in ["", "host", "1.2.3.4,5.6.7.8", "::1,::2", "1.2.3.4,"] {
            assert_eq!(node_ip(text), None, "{text}");
        }
    }

    #[test]
    fn stun_servers_have_a_default_port() {
        assert_eq!(stun_server("stun.example.org"), Some("stun.example.org:3478".to_owned()));
        assert_eq!(stun_server("stun.example.org:19302"), Some("stun.example.org:19302".to_owned()));
        assert_eq!(stun_server("[::1]:3478"), Some("[::1]:3478".to_owned()));
        for text in ["", ":3478", "host:port", "::1"] {
            assert_eq!(stun_server(text), None, "{text}");
        }
    }
}
