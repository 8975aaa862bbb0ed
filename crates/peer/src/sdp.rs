//! SDP as text: bounds, and the one rewriting that offers need before they are answered.

use std::borrow::Cow;

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
}

/// Checks the bounds of a description.
pub(crate) fn check(sdp: &str) -> Result<&str, SdpError> {
    if sdp.len() > SDP_BYTES_MAX {
        return Err(SdpError::TooLong);
    }
    if !sdp.starts_with("v=0") {
        return Err(SdpError::NotSdp);
    }
    if sdp.lines().filter(|line| line.starts_with("m=")).count() > SECTIONS_MAX {
        return Err(SdpError::TooManySections);
    }
    Ok(sdp)
}

/// Sections in which a client only offers to receive have nothing to receive yet: answered as they
/// are, str0m would promise media with random identifiers. Offered as inactive, they stay reserved.
pub(crate) fn without_unused_media(sdp: &str) -> Cow<'_, str> {
    if sdp.contains("a=recvonly") {
        Cow::Owned(sdp.replace("a=recvonly", "a=inactive"))
    } else {
        Cow::Borrowed(sdp)
    }
}

/// A candidate whose address is hidden behind a name in the local network; nobody here resolves it.
pub(crate) fn is_hidden_candidate(candidate: &str) -> bool {
    candidate.split_whitespace().nth(4).is_some_and(|address| address.ends_with(".local"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold() {
        assert_eq!(check("v=0\r\n"), Ok("v=0\r\n"));
        assert_eq!(check("hello"), Err(SdpError::NotSdp));
        assert_eq!(check(&format!("v=0{}", " ".repeat(SDP_BYTES_MAX))), Err(SdpError::TooLong));
        assert_eq!(
            check(&format!("v=0\r\n{}", "m=audio\r\n".repeat(SECTIONS_MAX + 1))),
            Err(SdpError::TooManySections)
        );
        assert!(check(&format!("v=0\r\n{}", "m=audio\r\n".repeat(SECTIONS_MAX))).is_ok());
    }

    #[test]
    fn unused_sections_become_inactive_and_nothing_else_changes() {
        let offer = "v=0\r\nm=audio 9 X 111\r\na=recvonly\r\nm=audio 9 X 111\r\na=sendrecv\r\n";
        assert_eq!(
            without_unused_media(offer),
            "v=0\r\nm=audio 9 X 111\r\na=inactive\r\nm=audio 9 X 111\r\na=sendrecv\r\n"
        );
    }

    #[test]
    fn hidden_candidates_are_known_by_their_address() {
        assert!(is_hidden_candidate("candidate:1 1 udp 1 0f1a.local 5000 typ host"));
        assert!(!is_hidden_candidate("candidate:1 1 udp 1 192.0.2.1 5000 typ host"));
        assert!(!is_hidden_candidate("candidate"));
    }
}
