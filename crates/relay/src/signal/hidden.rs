//! Where clients say that they are reached, kept from the server: one that looks for clients by itself would find them
//! beside the link.

use std::borrow::Cow;

use trackyard_proto::Request;
use trackyard_proto::join::JoinRequest;

const PARAMETER: &str = "join_request=";
const CANDIDATE: &str = "a=candidate:";

/// A request without the client's candidates; nothing if nothing is left of it.
pub(super) fn request(request: Request) -> Option<Request> {
    match request {
        Request::Offer(mut description) => {
            description.sdp = without_candidates(&description.sdp);
            Some(Request::Offer(description))
        }
        Request::Answer(mut description) => {
            description.sdp = without_candidates(&description.sdp);
            Some(Request::Answer(description))
        }
        Request::Trickle(_) => None,
        other => Some(other),
    }
}

/// The head of an HTTP request without the candidates of the offer that a client joins with, if there is one.
pub(super) fn head(bytes: &[u8]) -> Cow<'_, [u8]> {
    replaced(bytes).map_or(Cow::Borrowed(bytes), Cow::Owned)
}

fn replaced(bytes: &[u8]) -> Option<Vec<u8>> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let text = std::str::from_utf8(line).ok()?;
    let begin = text.find(PARAMETER)? + PARAMETER.len();
    let end = begin + text[begin..].find(['&', ' '])?;
    let parameter = text[begin..end].replace("%3D", "=");
    let mut join = JoinRequest::decode_wrapped(&parameter).ok()?;
    // One that resumes a session has none, and says more than this would keep.
    let offer = join.publisher_offer.as_mut()?;
    offer.sdp = without_candidates(&offer.sdp);
    let join = join.encode_wrapped(true).replace('=', "%3D");
    Some([&bytes[..begin], join.as_bytes(), &bytes[end..]].concat())
}

fn without_candidates(sdp: &str) -> String {
    sdp.split_inclusive("\r\n").filter(|line| !line.starts_with(CANDIDATE)).collect()
}

#[cfg(test)]
mod tests {
    use trackyard_proto::signal::{SessionDescription, SignalTarget, Trickle};

    use super::*;

    const SDP: &str = "v=0\r\na=candidate:1 1 udp 5 192.0.2.1 7 typ host\r\na=mid:0\r\n";

    fn offer() -> SessionDescription {
        SessionDescription { sdp: SDP.to_owned(), ..SessionDescription::default() }
    }

    #[test]
    fn candidates_stay_with_the_client() {
        let Some(Request::Offer(description)) = request(Request::Offer(offer())) else { panic!("an offer") };
        assert_eq!(description.sdp, "v=0\r\na=mid:0\r\n");
        let trickle = Trickle::new(SignalTarget::Publisher, "candidate:1", "0", 0, false);
        assert!(request(Request::Trickle(trickle)).is_none());
        assert!(matches!(request(Request::Ping(7)), Some(Request::Ping(7))));
    }

    #[test]
    fn the_offer_that_a_client_joins_with_loses_them_too() {
        let join = JoinRequest { publisher_offer: Some(offer()), ..JoinRequest::default() };
        let rest = "&x=1 HTTP/1.1\r\nHost: h\r\n\r\n";
        let line =
            |join: &JoinRequest| format!("GET /rtc/v1?join_request={}{rest}", join.encode_wrapped(false));
        let changed = head(line(&join).as_bytes()).into_owned();
        let changed = String::from_utf8(changed).unwrap();
        assert!(changed.ends_with(rest), "{changed}");
        let parameter = changed.split(['=', '&']).nth(1).unwrap().replace("%3D", "=");
        let seen = JoinRequest::decode_wrapped(&parameter).unwrap();
        assert_eq!(seen.publisher_offer.unwrap().sdp, "v=0\r\na=mid:0\r\n");
        for unchanged in [line(&JoinRequest::default()), "GET / HTTP/1.1\r\n\r\n".to_owned()] {
            assert_eq!(*head(unchanged.as_bytes()), *unchanged.as_bytes());
        }
    }
}
