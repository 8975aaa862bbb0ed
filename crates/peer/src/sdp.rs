//! SDP as text: bounds, what is read from descriptions, and the rewriting that offers need before
//! they are answered. Lines are compared whole, so that no value can pass for a line of its own.

/// Bytes of a description.
pub const SDP_BYTES_MAX: usize = 256 * 1024;
/// Sections of a description.
pub const SECTIONS_MAX: usize = 512;

/// Why a text is refused before it is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// Longer than [`SDP_BYTES_MAX`].
    #[error("the description is longer than 256 KiB")]
    TooLong,
    /// More than [`SECTIONS_MAX`] sections.
    #[error("the description has more than 512 sections")]
    TooManySections,
    /// Does not begin as SDP does.
    #[error("not a description")]
    NotSdp,
    /// Without what a connection cannot be made without; refused here, before anything has changed.
    #[error("the description lacks {0}")]
    Lacks(&'static str),
}

/// What every description of a connection has.
const REQUIRED: [&str; 3] = ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"];

/// Checks the bounds of a description.
pub(crate) fn check(sdp: &str) -> Result<(), SdpError> {
    if sdp.len() > SDP_BYTES_MAX {
        return Err(SdpError::TooLong);
    }
    if !sdp.starts_with("v=0") {
        return Err(SdpError::NotSdp);
    }
    if sdp.lines().filter(|line| line.starts_with("m=")).count() > SECTIONS_MAX {
        return Err(SdpError::TooManySections);
    }
    match REQUIRED.into_iter().find(|prefix| value(sdp, prefix).is_none()) {
        Some(prefix) => Err(SdpError::Lacks(prefix.trim_end_matches(':'))),
        None => Ok(()),
    }
}

/// A client's offer as the server answers it.
///
/// Sections in which a client only offers to receive have nothing to receive yet: answered as they
/// are, str0m would promise media with random identifiers. Offered as inactive, they stay reserved.
pub(crate) fn offer_for_server(sdp: &str) -> String {
    rewrite(sdp, |line| match line {
        "a=recvonly" => Some("a=inactive"),
        line => for_server(line),
    })
}

/// A client's answer as the server takes it.
pub(crate) fn answer_for_server(sdp: &str) -> String {
    rewrite(sdp, for_server)
}

/// A server's description as the client takes it.
pub(crate) fn for_client(sdp: &str) -> String {
    rewrite(sdp, |line| (!begins_association(line)).then_some(line))
}

/// The first ICE user name in a description.
pub(crate) fn ufrag(sdp: &str) -> Option<&str> {
    value(sdp, "a=ice-ufrag:")
}

/// Whether a description has a section for data channels.
pub(crate) fn has_channels(sdp: &str) -> bool {
    sdp.lines().any(|line| line.starts_with("m=application "))
}

/// The longest message that the writer of a description takes (RFC 8841 §6.1).
pub(crate) fn message_bytes_max(sdp: &str) -> usize {
    match value(sdp, "a=max-message-size:").map(str::trim).map(str::parse) {
        Some(Ok(0)) => usize::MAX,
        Some(Ok(bytes)) => bytes,
        Some(Err(_)) | None => 64 * 1024,
    }
}

/// Whether a text has the shape of a candidate. Addresses hidden behind names in the local network and
/// transports nobody here knows have it too.
pub(crate) fn is_candidate(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    words.next().is_some_and(|word| word.starts_with("candidate:")) && words.nth(5) == Some("typ")
}

/// An ICE-lite server answers whoever knocks: the client's candidates would only be work.
fn for_server(line: &str) -> Option<&str> {
    let is_candidate = line.starts_with("a=candidate:") || line == "a=end-of-candidates";
    (!is_candidate && !begins_association(line)).then_some(line)
}

/// The first packet of an association, in the description rather than on the wire. Ours are begun there: str0m, whose
/// association is none, would agree to it.
fn begins_association(line: &str) -> bool {
    line.starts_with("a=sctp-init:")
}

fn value<'s>(sdp: &'s str, prefix: &str) -> Option<&'s str> {
    sdp.lines().find_map(|line| line.strip_prefix(prefix))
}

fn rewrite<'s>(sdp: &'s str, mut line: impl FnMut(&'s str) -> Option<&'s str>) -> String {
    let mut rewritten = String::with_capacity(sdp.len() + 2);
    for kept in sdp.lines().filter_map(&mut line) {
        rewritten.push_str(kept);
        rewritten.push_str("\r\n");
    }
    rewritten
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:x\r\na=fingerprint:sha-256 00\r\n";

    #[test]
    fn bounds_hold() {
        let with = |more: &str| check(&format!("{LEAST}{more}"));
        assert_eq!(with(""), Ok(()));
        assert_eq!(check("hello"), Err(SdpError::NotSdp));
        assert_eq!(with(&" ".repeat(SDP_BYTES_MAX)), Err(SdpError::TooLong));
        assert_eq!(with(&"m=audio\r\n".repeat(SECTIONS_MAX)), Ok(()));
        assert_eq!(with(&"m=audio\r\n".repeat(SECTIONS_MAX + 1)), Err(SdpError::TooManySections));
    }

    #[test]
    fn a_description_without_credentials_is_refused_before_it_is_used() {
        for (missing, name) in [("a=ice-ufrag:abcd", "a=ice-ufrag"), ("a=ice-pwd:x", "a=ice-pwd")] {
            assert_eq!(check(&LEAST.replace(missing, "a=x")), Err(SdpError::Lacks(name)));
        }
        let error = check("v=0\r\n").unwrap_err();
        assert_eq!(error.to_string(), "the description lacks a=ice-ufrag");
    }

    #[test]
    fn unused_sections_become_inactive_and_nothing_else_changes() {
        let offer =
            "v=0\r\nm=audio 9 X 111\r\na=recvonly\r\nm=audio 9 X 111\r\na=sendrecv\r\na=x:a=recvonly\r\n";
        assert_eq!(
            offer_for_server(offer),
            "v=0\r\nm=audio 9 X 111\r\na=inactive\r\nm=audio 9 X 111\r\na=sendrecv\r\na=x:a=recvonly\r\n"
        );
    }

    #[test]
    fn a_client_s_candidates_are_left_out() {
        let sdp = "v=0\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\na=x\r\n";
        assert_eq!(offer_for_server(sdp), "v=0\r\na=x\r\n");
        assert_eq!(answer_for_server(sdp), "v=0\r\na=x\r\n");
    }

    #[test]
    fn answers_keep_their_directions() {
        assert_eq!(answer_for_server("v=0\na=recvonly\n"), "v=0\r\na=recvonly\r\n");
    }

    #[test]
    fn the_first_user_name_counts() {
        assert_eq!(ufrag("v=0\r\na=ice-ufrag:one\r\na=ice-ufrag:two\r\n"), Some("one"));
        assert_eq!(ufrag("v=0\r\n"), None);
    }

    #[test]
    fn channels_have_a_section_of_their_own() {
        assert!(has_channels("v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
        assert!(!has_channels("v=0\r\ns=m=application 9\r\nm=audio 9 X 0\r\n"));
    }

    #[test]
    fn the_longest_message_is_as_told_or_64_kib() {
        assert_eq!(message_bytes_max("v=0\r\na=max-message-size:1000\r\n"), 1000);
        assert_eq!(message_bytes_max("v=0\r\na=max-message-size:0\r\n"), usize::MAX);
        assert_eq!(message_bytes_max("v=0\r\na=max-message-size:many\r\n"), 65_536);
        assert_eq!(message_bytes_max("v=0\r\n"), 65_536);
    }

    #[test]
    fn candidates_are_known_by_their_shape() {
        assert!(is_candidate("candidate:1 1 udp 1 192.0.2.1 5000 typ host"));
        assert!(is_candidate("candidate:1 1 udp 1 0f1a.local 5000 typ host generation 0"));
        assert!(is_candidate("candidate:1 1 ssltcp 1 fe80::1%eth0 5000 typ relay"));
        assert!(!is_candidate("candidate:1 1 udp 1 192.0.2.1 5000 type host"));
        assert!(!is_candidate("candidate"));
        assert!(!is_candidate(""));
    }
}
