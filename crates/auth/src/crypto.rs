//! The one signature this crate makes and accepts: HMAC with SHA-256.

use std::sync::Once;

use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, Validation};

/// The only algorithm.
pub(crate) const ALGORITHM: Algorithm = Algorithm::HS256;

/// Chooses the cryptographic backend before its first use. Without this a second backend, brought
/// in by a feature of some other crate, would make every signature panic.
pub(crate) fn ensure_backend() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        // A refusal means that the program has chosen one already, which is as good.
        let _already_chosen = aws_lc::DEFAULT_PROVIDER.install_default();
    });
}

/// Checks the signature only: times are checked against the time that is passed in.
pub(crate) fn signature_only() -> Validation {
    let mut validation = Validation::new(ALGORITHM);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}
