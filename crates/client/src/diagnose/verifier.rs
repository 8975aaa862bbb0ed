//! A verifier that remembers what it was shown, so that a certificate that is refused can be described.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::error::ConnectError;

/// The platform's verifier with more roots.
pub(super) fn platform(roots: &[Vec<u8>]) -> Result<Arc<dyn ServerCertVerifier>, ConnectError> {
    let extra = roots.iter().map(|root| CertificateDer::from(root.clone()));
    let verifier = Verifier::new_with_extra_roots(extra, Arc::new(aws_lc_rs::default_provider()));
    let verifier = verifier.map_err(|error| ConnectError::Roots { message: error.to_string() })?;
    Ok(Arc::new(verifier))
}

/// Decides as another verifier does, and remembers.
#[derive(Debug)]
pub(super) struct Recorder {
    inner: Arc<dyn ServerCertVerifier>,
    seen: Mutex<Seen>,
}

/// What a verifier was shown, and what it said.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The server's own certificate, in DER.
    pub(super) certificate: Option<Vec<u8>>,
    /// Why it is refused.
    pub(super) refusal: Option<CertificateError>,
}

impl Recorder {
    pub(super) fn new(inner: Arc<dyn ServerCertVerifier>) -> Self {
        Self { inner, seen: Mutex::default() }
    }

    /// What it was shown.
    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let refusal = match &verdict {
            Err(Error::InvalidCertificate(refusal)) => Some(refusal.clone()),
            _ => None,
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
            Seen { certificate: Some(end_entity.to_vec()), refusal };
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
