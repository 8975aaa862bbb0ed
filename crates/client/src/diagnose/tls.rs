//! TLS: whether the server's certificate is trusted, and if not, why.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, ProtocolVersion};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::reach;
use super::verifier::Recorder;
use super::{Certificate, ReachError, Server};

/// How TLS with a server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsReport {
    /// Such as `TLS 1.3`; nothing if it was not agreed on.
    pub version: Option<String>,
    /// What the server has shown, whether it is trusted or not.
    pub certificate: Option<Certificate>,
    /// What is wrong, if anything is.
    pub problem: Option<TlsProblem>,
}

/// What is wrong with a server's TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The certificate's time is over.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate's time has not begun, or this machine's clock is behind.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The certificate is for other hosts.
    #[error("the certificate is not for this host")]
    NameMismatch,
    /// Nobody who is trusted here vouches for the certificate.
    #[error("the certificate's issuer is unknown")]
    UnknownIssuer,
    /// The certificate was taken back.
    #[error("the certificate is revoked")]
    Revoked,
    /// Something else about the certificate.
    #[error("the certificate cannot be used ({message})")]
    Certificate {
        /// In the TLS library's words.
        message: String,
    },
    /// What answers does not speak TLS.
    #[error("what answers does not speak TLS")]
    NotTls,
    /// The server has ended the handshake.
    #[error("the server refuses ({message})")]
    Refused {
        /// In the TLS library's words.
        message: String,
    },
    /// The server has closed the connection instead of answering.
    #[error("the server has closed the connection in the handshake")]
    Closed,
    /// The server accepts connections and says nothing.
    #[error("no answer within {} s", super::seconds(*limit))]
    NoAnswer {
        /// How long was waited.
        limit: Duration,
    },
    /// There is no connection to speak TLS over.
    #[error(transparent)]
    Unreachable(ReachError),
    /// Something else.
    #[error("{message}")]
    Failed {
        /// In the TLS library's words.
        message: String,
    },
}

impl Server {
    /// Speaks TLS with the server at one of its addresses, and describes what it shows.
    pub async fn check_tls(&self, address: SocketAddr, limit: Duration) -> TlsReport {
        let recorder = Arc::new(Recorder::new(Arc::clone(&self.verifier)));
        let shaken = match self.shake_hands(address, (limit, &recorder)).await {
            Ok(stream) => Ok(stream.get_ref().1.protocol_version()),
            Err(problem) => Err(problem),
        };
        let seen = recorder.seen();
        let certificate = seen.certificate.as_deref().and_then(Certificate::parse);
        match (shaken, seen.refusal) {
            (Ok(version), _) => TlsReport { version: version.map(version_name), certificate, problem: None },
            (Err(_), Some(refusal)) => {
                TlsReport { version: None, certificate, problem: Some(certificate_problem(&refusal)) }
            }
            (Err(problem), None) => TlsReport { version: None, certificate, problem: Some(problem) },
        }
    }

    async fn shake_hands(
        &self,
        address: SocketAddr,
        (limit, recorder): (Duration, &Arc<Recorder>),
    ) -> Result<TlsStream<TcpStream>, TlsProblem> {
        let fail = |message: String| TlsProblem::Failed { message };
        let name = ServerName::try_from(self.host().to_owned()).map_err(|error| fail(error.to_string()))?;
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| fail(error.to_string()))?;
        let verifier = Arc::clone(recorder);
        let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        let stream = reach::connect(address, limit).await.map_err(TlsProblem::Unreachable)?;
        let shaken = timeout(limit, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
        shaken.map_err(|_| TlsProblem::NoAnswer { limit })?.map_err(|error| problem(&error))
    }
}

fn problem(error: &io::Error) -> TlsProblem {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(refusal)) => certificate_problem(refusal),
        // What a server without TLS says is read as the head of a record.
        Some(Error::InvalidMessage(_)) => TlsProblem::NotTls,
        Some(Error::AlertReceived(alert)) => TlsProblem::Refused { message: alert_name(*alert) },
        Some(other) => TlsProblem::Failed { message: other.to_string() },
        None if is_end(error.kind()) => TlsProblem::Closed,
        None => TlsProblem::Failed { message: error.to_string() },
    }
}

fn is_end(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

fn certificate_problem(refusal: &CertificateError) -> TlsProblem {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        Revoked, UnknownIssuer,
    };
    match refusal {
        Expired | ExpiredContext { .. } => TlsProblem::Expired,
        NotValidYet | NotValidYetContext { .. } => TlsProblem::NotYetValid,
        NotValidForName | NotValidForNameContext { .. } => TlsProblem::NameMismatch,
        UnknownIssuer => TlsProblem::UnknownIssuer,
        Revoked => TlsProblem::Revoked,
        other => TlsProblem::Certificate { message: other.to_string() },
    }
}

fn alert_name(alert: AlertDescription) -> String {
    format!("{alert:?}")
}

fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
        other => format!("{other:?}"),
    }
}
