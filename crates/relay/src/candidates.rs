//! The server's candidates, replaced by the relay's.

use std::future::Future;
use std::net::SocketAddr;

use trackyard_proto::Response;
use trackyard_proto::signal::{SignalTarget, Trickle};

const PREFIX: &str = "candidate:";

/// A candidate of a server, as far as a relay is concerned.
struct Candidate<'l> {
    /// Of `foundation component transport priority address port typ …` (RFC 8839 §5.1).
    fields: Vec<&'l str>,
    address: SocketAddr,
}

impl<'l> Candidate<'l> {
    /// Nothing for candidates of other transports than UDP, and for what is none.
    fn parse(text: &'l str) -> Option<Self> {
        let fields: Vec<&str> = text.trim().strip_prefix(PREFIX)?.split_ascii_whitespace().collect();
        let is_udp = fields.get(2)?.eq_ignore_ascii_case("udp");
        let address = SocketAddr::new(fields.get(4)?.parse().ok()?, fields.get(5)?.parse().ok()?);
        is_udp.then_some(Self { fields, address })
    }

    fn with_address(&self, address: SocketAddr) -> String {
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let mut fields = self.fields.clone();
        fields[4] = &ip;
        fields[5] = &port;
        format!("{PREFIX}{}", fields.join(" "))
    }
}

/// The response with every UDP candidate replaced by what `relay` gives for its address, and without the
/// others unless they are kept; nothing if it has no candidates and passes as it is.
pub(crate) async fn replace<F: Future<Output = Option<SocketAddr>>>(
    response: Response,
    keeps_others: bool,
    relay: impl Fn(SocketAddr) -> F,
) -> Option<Response> {
    match response {
        Response::Answer(mut description) => {
            description.sdp = replace_lines(&description.sdp, keeps_others, relay).await;
            Some(Response::Answer(description))
        }
        Response::Offer(mut description) => {
            description.sdp = replace_lines(&description.sdp, keeps_others, relay).await;
            Some(Response::Offer(description))
        }
        Response::Trickle(trickle) => {
            Some(Response::Trickle(replace_trickled(&trickle, keeps_others, relay).await))
        }
        _ => None,
    }
}

async fn replace_lines<F: Future<Output = Option<SocketAddr>>>(
    sdp: &str,
    keeps_others: bool,
    relay: impl Fn(SocketAddr) -> F,
) -> String {
    let mut replaced = String::new();
    for line in sdp.split_inclusive("\r\n") {
        let Some(text) = line.strip_prefix("a=").filter(|text| text.starts_with(PREFIX)) else {
            replaced.push_str(line);
            continue;
        };
        let Some(candidate) = Candidate::parse(text) else {
            replaced.push_str(if keeps_others { line } else { "" });
            continue;
        };
        if let Some(address) = relay(candidate.address).await {
            replaced.push_str(&format!("a={}\r\n", candidate.with_address(address)));
        }
    }
    replaced
}

/// One that is left out becomes the empty candidate, which says nothing.
async fn replace_trickled<F: Future<Output = Option<SocketAddr>>>(
    trickle: &Trickle,
    keeps_others: bool,
    relay: impl Fn(SocketAddr) -> F,
) -> Trickle {
    let text = trickle.candidate().ok().flatten().unwrap_or_default();
    let replaced = match Candidate::parse(&text) {
        Some(candidate) => relay(candidate.address).await.map(|address| candidate.with_address(address)),
        None => Some(text.clone()).filter(|_| keeps_others),
    };
    let target: SignalTarget = trickle.target;
    Trickle::new(target, &replaced.unwrap_or_default(), "0", 0, trickle.last)
}

#[cfg(test)]
mod tests {
    use trackyard_proto::signal::SessionDescription;

    use super::*;

    #[tokio::test]
    async fn udp_candidates_are_replaced_and_others_left_out() {
        let sdp = "v=0\r\na=candidate:1 1 udp 5 192.0.2.1 7882 typ host\r\na=candidate:2 1 tcp 4 192.0.2.1 7881 typ host \
                   tcptype passive\r\na=candidate:3 1 UDP 3 bad 1 typ host\r\na=end-of-candidates\r\n";
        let answer =
            Response::Answer(SessionDescription { sdp: sdp.to_owned(), ..SessionDescription::default() });
        let relay = |address: SocketAddr| async move {
            assert_eq!(address, "192.0.2.1:7882".parse().unwrap());
            Some("127.0.0.1:9".parse().unwrap())
        };
        let Some(Response::Answer(description)) = replace(answer, false, relay).await else {
            panic!("an answer")
        };
        let expected = "v=0\r\na=candidate:1 1 udp 5 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n";
        assert_eq!(description.sdp, expected);
        let trickle = Trickle::new(
            SignalTarget::Subscriber,
            "candidate:1 1 udp 5 192.0.2.1 7882 typ host",
            "0",
            0,
            false,
        );
        let Some(Response::Trickle(trickle)) = replace(Response::Trickle(trickle), false, relay).await else {
            panic!("a candidate")
        };
        assert_eq!(trickle.candidate().unwrap().unwrap(), "candidate:1 1 udp 5 127.0.0.1 9 typ host");
        assert!(replace(Response::Pong(1), false, relay).await.is_none());
    }
}
