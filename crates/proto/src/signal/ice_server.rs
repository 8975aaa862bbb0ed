//! Servers that clients use to find ways through the network (protocol §11).

use std::fmt;

/// A STUN or TURN server, by all its URLs.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` URLs.
    pub urls: Vec<String>,
    /// For TURN; empty where none is needed.
    pub username: String,
    /// For TURN; empty where none is needed.
    pub credential: String,
}

impl IceServer {
    /// One entry for all these URLs, which need no credentials; none if there are none.
    #[must_use]
    pub fn open(urls: &[String]) -> Vec<Self> {
        if urls.is_empty() {
            return Vec::new();
        }
        vec![Self { urls: urls.to_vec(), ..Self::default() }]
    }
}

/// Without the credential.
impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut server = f.debug_struct("IceServer");
        server.field("urls", &self.urls).field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credential_is_not_shown() {
        let server =
            IceServer { username: "ada".to_owned(), credential: "hush".to_owned(), ..open()[0].clone() };
        let shown = format!("{server:?}");
        assert!(shown.contains("stun:a") && shown.contains("ada") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn no_urls_are_no_server() {
        assert_eq!(IceServer::open(&[]), []);
        assert_eq!(open().len(), 1);
    }

    fn open() -> Vec<IceServer> {
        IceServer::open(&["stun:a".to_owned(), "stun:b".to_owned()])
    }
}
