//! The server that is examined.

use std::fmt;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;

use crate::endpoint::Endpoint;
use crate::error::ConnectError;
use crate::signal;

/// A server that is examined, and whom to trust for it.
#[derive(Clone)]
pub struct Server {
    pub(super) endpoint: Endpoint,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) verifier: Arc<dyn ServerCertVerifier>,
}

impl Server {
    /// A server at a `ws`, `wss`, `http` or `https` URL; certificates of issuers, in DER, are trusted beside
    /// the platform's.
    ///
    /// # Errors
    /// [`ConnectError::Url`] and [`ConnectError::Roots`].
    pub fn new(url: &str, root_certificates: &[Vec<u8>]) -> Result<Self, ConnectError> {
        let endpoint = Endpoint::parse(url)?;
        let tls = signal::client_config(root_certificates)?;
        let verifier = super::verifier::platform(root_certificates)?;
        Ok(Self { endpoint, tls, verifier })
    }

    /// Its name or address, as in the URL, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// The port, that of the scheme unless the URL has one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.endpoint.port
    }

    /// Whether the URL asks for TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.endpoint.is_tls
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host())
            .field("port", &self.port())
            .finish_non_exhaustive()
    }
}
