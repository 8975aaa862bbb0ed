//! Every dependency is under a licence that lets anyone use Trackyard anywhere.

use spdx::{Expression, ParseMode};

/// Permissive licences; each dependency must be usable under these alone.
const ALLOWED: [&str; 11] = [
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
    "0BSD",
];
/// Dependencies whose expression the list cannot grant, each with its reason.
const EXCEPTIONS: [(&str, &str); 2] = [
    // A bundle of root certificates, under a permissive licence for data; no platform that is built for compiles it.
    ("webpki-root-certs", "CDLA-Permissive-2.0"),
    // `(MIT OR Apache-2.0) AND IJG`: the JPEG group's terms are permissive, and only an example carries them.
    ("jpeg-encoder", "IJG"),
];

/// Packages (name, licence expression) that may not be used.
pub(crate) fn check(packages: &[(String, String)]) -> Vec<String> {
    packages
        .iter()
        .filter(|(name, _)| EXCEPTIONS.iter().all(|(excepted, _)| excepted != name))
        .filter(|(_, licence)| !allowed(licence))
        .map(|(name, licence)| format!("{name}: licence `{licence}` is not allowed"))
        .collect()
}

fn allowed(licence: &str) -> bool {
    let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else { return false };
    expression.evaluate(|requirement| requirement.license.id().is_some_and(|id| ALLOWED.contains(&id.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_weighed() {
        assert!(allowed("MIT OR Apache-2.0"));
        assert!(allowed("MIT/Apache-2.0"));
        assert!(allowed("Apache-2.0 WITH LLVM-exception"));
        assert!(allowed("GPL-3.0-only OR MIT"));
        assert!(!allowed("GPL-3.0-only"));
        assert!(!allowed("MIT AND GPL-2.0-only"));
        assert!(!allowed(""));
    }
}
