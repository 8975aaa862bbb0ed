//! Where a request goes.

use std::fmt;
use std::str::FromStr;

use http::Uri;

use crate::UrlError;

/// Longest address.
const URL_BYTES_MAX: usize = 8 * 1024;

/// An address that begins with `http://` or `https://`. What is shown of it is its host alone: the rest may hold
/// secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(Uri);

impl Url {
    /// The address as requests take it.
    pub(crate) fn uri(&self) -> Uri {
        self.0.clone()
    }

    /// The address of `path`, which begins with a slash, behind this one's path.
    ///
    /// # Errors
    /// [`UrlError`] if together they are no address.
    pub fn below(&self, path: &str) -> Result<Self, UrlError> {
        let prefix = self.0.path().trim_end_matches('/');
        format!("{self}{prefix}{path}").parse()
    }

    /// Whether what is sent there is encrypted.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if text.len() > URL_BYTES_MAX {
            return Err(UrlError::TooLong);
        }
        let uri: Uri = text.parse().map_err(|_| UrlError::NotAnAddress)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(UrlError::NotHttp);
        }
        let authority = uri.authority().ok_or(UrlError::NoHost)?;
        if authority.host().is_empty() {
            return Err(UrlError::NoHost);
        }
        if authority.as_str().contains('@') {
            return Err(UrlError::Login);
        }
        Ok(Self(uri))
    }
}

/// Scheme, host and port.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self.0.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        write!(f, "{scheme}://{authority}")
    }
}

/// As it is displayed.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_http_are_taken() {
        let check = |text: &str, expected: Result<(), UrlError>| {
            assert_eq!(text.parse::<Url>().map(drop), expected, "{text}");
        };
        check("http://127.0.0.1:8080/hook", Ok(()));
        check("https://example.org", Ok(()));
        check("https://[::1]:1/?a=b", Ok(()));
        check("", Err(UrlError::NotAnAddress));
        check("http://", Err(UrlError::NotAnAddress));
        check("http://a b/", Err(UrlError::NotAnAddress));
        check("/hook", Err(UrlError::NotHttp));
        check("example.org:80", Err(UrlError::NotHttp));
        check("ftp://example.org/", Err(UrlError::NotHttp));
        check("http://:80/", Err(UrlError::NoHost));
        check("https://me:hunter2@example.org/", Err(UrlError::Login));
        check(&format!("http://a/{}", "x".repeat(URL_BYTES_MAX)), Err(UrlError::TooLong));
    }

    #[test]
    fn paths_and_queries_are_not_shown() {
        let url: Url = "https://example.org:8443/hook/secret?token=secret".parse().unwrap();
        assert_eq!(url.to_string(), "https://example.org:8443");
        assert_eq!(format!("{url:?}"), "Url(https://example.org:8443)");
    }

    #[test]
    fn paths_are_appended() {
        let below = |url: &str| url.parse::<Url>().unwrap().below("/twirp/x").unwrap().uri().to_string();
        assert_eq!(below("http://a:1"), "http://a:1/twirp/x");
        assert_eq!(below("http://a:1/"), "http://a:1/twirp/x");
        assert_eq!(below("http://a:1/sfu/"), "http://a:1/sfu/twirp/x");
    }
}
