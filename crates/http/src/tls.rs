//! TLS with the platform's roots.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// A root certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a root certificate cannot be used: {message}")]
pub struct RootsError {
    /// In the words of the TLS library.
    pub message: String,
}

/// What TLS connections are made with: the platform's roots and these, certificates in DER.
///
/// # Errors
/// [`RootsError`] if one is no certificate.
pub fn client_config(roots: &[Vec<u8>]) -> Result<Arc<ClientConfig>, RootsError> {
    let fail = |error: rustls::Error| RootsError { message: error.to_string() };
    let roots: Vec<_> = roots.iter().map(|root| CertificateDer::from(root.clone())).collect();
    check(&roots).map_err(fail)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = PlatformVerifier { roots, provider: Arc::clone(&provider), loaded: OnceLock::new() };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(fail)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(Arc::new(builder.with_no_client_auth()))
}

fn check(roots: &[CertificateDer<'static>]) -> Result<(), rustls::Error> {
    let mut store = RootCertStore::empty();
    roots.iter().try_for_each(|root| store.add(root.clone()))
}

/// Verifies with the platform's roots and some more. They are loaded when the first certificate is seen: most
/// connections on one's own network have none, and a small container may have no roots at all.
#[derive(Debug)]
struct PlatformVerifier {
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    loaded: OnceLock<Result<Verifier, rustls::Error>>,
}

impl PlatformVerifier {
    fn loaded(&self) -> Result<&Verifier, rustls::Error> {
        let load = || Verifier::new_with_extra_roots(self.roots.iter().cloned(), Arc::clone(&self.provider));
        self.loaded.get_or_init(load).as_ref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for PlatformVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.loaded()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.loaded()?.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.loaded()?.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(client_config(&[vec![1, 2, 3]]).is_err());
        assert!(client_config(&[]).is_ok());
    }
}
