//! The addresses that a server names for data.

use std::net::IpAddr;

use serde_json::{Value, json};
use trackyard::Route;
use trackyard::diagnose::{Candidate, CandidateTransport, ProbeOutcome, Scope};

use super::super::report::milliseconds;

/// What was found of the ways to a server.
#[derive(Debug)]
pub(in super::super) struct Paths {
    /// Where its signalling was reached.
    pub(in super::super) reached: IpAddr,
    pub(in super::super) candidates: Vec<(Candidate, ProbeOutcome)>,
    /// A relay gives an address.
    pub(in super::super) has_relay: bool,
}

/// What has become of a candidate.
pub(in super::super) fn probe(outcome: &ProbeOutcome) -> String {
    match outcome {
        ProbeOutcome::Answered { round_trip, .. } => {
            format!("answers in {:.1} ms", milliseconds(*round_trip))
        }
        ProbeOutcome::Refused => "is refused: nothing listens there".to_owned(),
        ProbeOutcome::Unreachable { message } => format!("is unreachable: {message}"),
        ProbeOutcome::NoAnswer { .. } => "gives no answer".to_owned(),
        ProbeOutcome::Silent { .. } => "connects, and gives no answer".to_owned(),
        ProbeOutcome::Stranger { message } => format!("is not this server: {message}"),
        ProbeOutcome::Unresolved => "is a name, which clients do not resolve".to_owned(),
        ProbeOutcome::Failed { message } => format!("cannot be asked: {message}"),
        other => format!("{other:?}"),
    }
}

/// What programs want to know.
pub(in super::super) fn probe_facts(candidate: &Candidate, outcome: &ProbeOutcome) -> Value {
    let (name, round_trip) = match outcome {
        ProbeOutcome::Answered { round_trip, .. } => ("answered", Some(milliseconds(*round_trip))),
        ProbeOutcome::Refused => ("refused", None),
        ProbeOutcome::Unreachable { .. } => ("unreachable", None),
        ProbeOutcome::NoAnswer { .. } => ("no_answer", None),
        ProbeOutcome::Silent { .. } => ("silent", None),
        ProbeOutcome::Stranger { .. } => ("stranger", None),
        ProbeOutcome::Unresolved => ("unresolved", None),
        _ => ("failed", None),
    };
    json!({
        "transport": candidate.transport.to_string(),
        "host": candidate.host,
        "port": candidate.port,
        "outcome": name,
        "round_trip_ms": round_trip,
    })
}

/// The way that data goes, as the end of a sentence.
pub(in super::super) fn route(route: &Route) -> String {
    let Route { local, remote, .. } = route;
    match transport(route) {
        "relay" => format!(", through the relay address {local} to {remote}"),
        // The port of a connection that this client opens says nothing.
        "tcp" => format!(", over tcp from {} to {remote}", local.ip()),
        other => format!(", over {other} from {local} to {remote}"),
    }
}

/// What programs want to know.
pub(in super::super) fn route_facts(route: Option<&Route>) -> Value {
    match route {
        Some(route) => json!({
            "transport": transport(route),
            "local": route.local,
            "remote": route.remote,
        }),
        None => Value::Null,
    }
}

fn transport(route: &Route) -> &'static str {
    match (route.is_tcp, route.is_relayed) {
        (true, _) => "tcp",
        (false, true) => "relay",
        (false, false) => "udp",
    }
}

/// No address of the server can be used: why, and what to do.
pub(in super::super) fn path_problem(paths: &Paths) -> Option<String> {
    if paths.has_relay || paths.candidates.iter().any(|(_, outcome)| outcome.is_answered()) {
        return None;
    }
    if paths.candidates.is_empty() {
        return Some(
            "Signalling works, and the server names no address for data: set `rtc.node_ip` to the address by which \
             clients reach it."
                .to_owned(),
        );
    }
    Some(wrong_node_ip(paths).unwrap_or_else(|| blocked(paths)))
}

/// None of the addresses is the one by which the server was reached.
fn wrong_node_ip(paths: &Paths) -> Option<String> {
    let Paths { reached, .. } = paths;
    let reached = reached.to_canonical();
    let named: Vec<IpAddr> =
        paths.candidates.iter().filter_map(|(candidate, _)| Some(candidate.address()?.ip())).collect();
    if named.is_empty() || named.contains(&reached) {
        return None;
    }
    let here = Scope::of(reached);
    let kind = |ip: &IpAddr| match (Scope::of(*ip), here) {
        (Scope::Documentation, _) => Some("an address for examples, which nobody has"),
        (Scope::Loopback, Scope::Private | Scope::Public) => Some("an address of its own machine alone"),
        (Scope::Private, Scope::Public) => Some("a private address"),
        _ => None,
    };
    let list = list(&named);
    let mend = format!(
        "Set `rtc.node_ip` to the address by which clients reach the server ({reached}, unless a proxy with an address \
         of its own is before it), or `rtc.use_external_ip: true` if it is behind NAT"
    );
    Some(match named.iter().find_map(kind) {
        Some(kind) => format!(
            "The server's node_ip is wrong: it is reached at {reached}, and tells clients to send data to {list}, {kind}. \
             {mend}."
        ),
        None => format!(
            "The server's node_ip is wrong, or a firewall drops everything: it is reached at {reached}, and tells clients \
             to send data to {list}, where nothing answers. {mend}; if {list} is right, open {}.",
            ports(paths)
        ),
    })
}

fn blocked(paths: &Paths) -> String {
    let has = |transport| paths.candidates.iter().any(|(candidate, _)| candidate.transport == transport);
    let what = match (has(CandidateTransport::Udp), has(CandidateTransport::Tcp)) {
        (true, false) => "UDP is blocked, and the server names no TCP address",
        (false, _) => "TCP is blocked, and the server names no UDP address",
        (true, true) => "UDP and TCP are blocked",
    };
    let more = if has(CandidateTransport::Tcp) {
        ""
    } else {
        " Where UDP cannot be opened, let the server offer TCP as well (`rtc.tcp_port`)."
    };
    format!(
        "{what}: signalling works, and nothing answers at the addresses for data. Open {} in the firewalls between \
         this machine and the server, and forward them to it if it is behind NAT.{more}",
        ports(paths)
    )
}

/// Data gets through, and not by every way that there is.
pub(in super::super) fn path_warnings(paths: &Paths) -> Vec<String> {
    let of =
        |transport| paths.candidates.iter().filter(move |(candidate, _)| candidate.transport == transport);
    let is_named = |transport| of(transport).next().is_some();
    let answers = |transport| of(transport).any(|(_, outcome)| outcome.is_answered());
    let ports = |transport| ports_of(paths, transport);
    let (udp, tcp) = (CandidateTransport::Udp, CandidateTransport::Tcp);
    let mut warnings = Vec::new();
    if !answers(udp) && answers(tcp) {
        let why = if is_named(udp) { "UDP is blocked" } else { "The server names no UDP address" };
        let open = if is_named(udp) { format!(" Open {}.", ports(udp)) } else { String::new() };
        warnings.push(format!(
            "{why}: data goes over TCP, which works, but worse: a lost packet holds up everything behind it.{open}"
        ));
    }
    if answers(udp) && is_named(tcp) && !answers(tcp) {
        warnings.push(format!(
            "TCP is blocked: data goes over UDP, which is best, but clients in networks that drop UDP cannot connect. \
             Open {}.",
            ports(tcp)
        ));
    }
    if paths.has_relay && !answers(udp) && !answers(tcp) {
        warnings.push(format!(
            "The server's own addresses do not answer: data goes through a relay, which works, but costs time. Open {}.",
            self::ports(paths)
        ));
    }
    warnings
}

/// Such as `UDP port 7882 and TCP port 7881`.
fn ports(paths: &Paths) -> String {
    let of = |transport| ports_of(paths, transport);
    let ports = [of(CandidateTransport::Udp), of(CandidateTransport::Tcp)];
    ports.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" and ")
}

fn ports_of(paths: &Paths, transport: CandidateTransport) -> String {
    let candidates = paths.candidates.iter().filter(|(candidate, _)| candidate.transport == transport);
    let mut ports: Vec<u16> = candidates.map(|(candidate, _)| candidate.port).collect();
    ports.sort_unstable();
    ports.dedup();
    let name = transport.to_string().to_uppercase();
    match &ports[..] {
        [] => String::new(),
        [port] => format!("{name} port {port}"),
        several => format!("{name} ports {}", list(several)),
    }
}

/// Each once, in their order.
fn list<T: ToString + PartialEq>(items: &[T]) -> String {
    let mut seen: Vec<&T> = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
