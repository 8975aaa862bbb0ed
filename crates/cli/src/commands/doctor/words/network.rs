//! Names and TCP.

use std::net::SocketAddr;

use trackyard::diagnose::{ReachError, ResolveError};

/// The name gives no address.
pub(in super::super) fn dns(host: &str, error: &ResolveError) -> String {
    let advice = match error {
        ResolveError::NoAddress => {
            "The name exists without an address: add an A or AAAA record, or correct the name in the URL."
        }
        ResolveError::Timeout { .. } => "Check this machine's network and its name servers.",
        _ => {
            "Check the spelling of the name in the URL, that its DNS record exists, and this machine's name servers."
        }
    };
    format!("The name `{host}` cannot be resolved ({error}). {advice}")
}

/// No address can be connected to.
pub(in super::super) fn tcp(failures: &[(SocketAddr, ReachError)]) -> String {
    let Some((address, error)) = failures.first() else {
        return "There is no address to connect to.".to_owned();
    };
    let port = address.port();
    let all = if failures.len() > 1 { " (and its other addresses)" } else { "" };
    match error {
        ReachError::Refused => format!(
            "Nothing listens at {address}{all}: the connection is refused. Start the server, check that the URL's \
             port {port} is the one it listens on (`port`, 7880 unless configured), and that it listens on this \
             address (`bind_addresses`)."
        ),
        ReachError::NoAnswer { .. } => format!(
            "Nothing answers at {address}{all}: packets are dropped on the way. Open TCP port {port} in the \
             firewalls between this machine and the server, and check that the address is the server's."
        ),
        ReachError::Unreachable { message } => format!(
            "There is no way to {address}{all} ({message}). Check this machine's network, its VPN, and the address."
        ),
        other => format!("{address}{all} cannot be connected to: {other}."),
    }
}

/// Some addresses can be connected to, and others cannot.
pub(in super::super) fn tcp_in_part(failures: &[(SocketAddr, ReachError)]) -> Option<String> {
    // A machine without IPv6 is none the worse for the server's having it, and loopback is no client's.
    let is_no_matter = |address: &SocketAddr, error: &ReachError| {
        address.ip().is_loopback() || (address.is_ipv6() && matches!(error, ReachError::Unreachable { .. }))
    };
    let failed: Vec<String> = failures
        .iter()
        .filter(|(address, error)| !is_no_matter(address, error))
        .map(|(address, error)| format!("{address} ({error})"))
        .collect();
    (!failed.is_empty()).then(|| {
        format!(
            "The name has addresses that cannot be connected to: {}. Clients lose time on them: remove them from \
             DNS, or let the server listen there.",
            failed.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_way_to_fail_has_its_advice() {
        let limit = Duration::from_secs(4);
        for (error, words) in [
            (ReachError::Refused, "Nothing listens at 10.0.0.1:7880"),
            (ReachError::NoAnswer { limit }, "Open TCP port 7880 in the firewalls"),
            (
                ReachError::Unreachable { message: "no route".to_owned() },
                "There is no way to 10.0.0.1:7880 (no route)",
            ),
        ] {
            let text = tcp(&[(at("10.0.0.1:7880"), error)]);
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn an_address_family_that_this_machine_lacks_is_no_matter() {
        let unreachable = ReachError::Unreachable { message: String::new() };
        assert_eq!(tcp_in_part(&[(at("[2606:4700::1]:1"), unreachable.clone())]), None);
        assert_eq!(tcp_in_part(&[(at("[::1]:1"), ReachError::Refused)]), None);
        assert!(tcp_in_part(&[(at("10.0.0.1:1"), ReachError::Refused)]).unwrap().contains("10.0.0.1:1"));
    }
}
