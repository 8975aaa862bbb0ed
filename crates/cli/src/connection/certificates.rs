//! Certificates in PEM.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::failure::Failure;

/// The certificates of a file, in DER.
///
/// # Errors
/// [`Failure::Usage`] if it cannot be read, or holds none.
pub(super) fn read(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let refuse = |why: String| Failure::Usage(format!("--root-certificate: {}: {why}", path.display()));
    let text = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        certificates.push(certificate.map_err(|error| refuse(error.to_string()))?.to_vec());
    }
    if certificates.is_empty() {
        return Err(refuse("it holds no certificate in PEM".to_owned()));
    }
    Ok(certificates)
}
