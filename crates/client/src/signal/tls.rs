//! TLS with the platform's roots.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

use crate::error::ConnectError;

/// What TLS connections are made with: the platform's roots and these.
pub(crate) fn client_config(roots: &[Vec<u8>]) -> Result<Arc<ClientConfig>, ConnectError> {
    let fail = |error: rustls::Error| ConnectError::Roots { message: error.to_string() };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let extra = roots.iter().map(|root| CertificateDer::from(root.clone()));
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(fail)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(fail)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(Arc::new(builder.with_no_client_auth()))
}
