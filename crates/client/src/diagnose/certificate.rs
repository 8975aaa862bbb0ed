//! What a certificate says about itself.

use std::time::{Duration, SystemTime};

use x509_cert::Certificate as Parsed;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Names that are shown; a certificate may hold thousands.
const NAMES_MAX: usize = 16;
/// Characters of a name that are shown.
const NAME_CHARS_MAX: usize = 256;

/// What a certificate says about itself. Whether that is true is for [`TlsProblem`](super::TlsProblem) to say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// Whose it is, such as `CN=example.org`.
    pub subject: String,
    /// Who has signed it.
    pub issuer: String,
    /// The hosts it is for; the first few.
    pub names: Vec<String>,
    /// It is valid from then on.
    pub not_before: SystemTime,
    /// It is valid until then.
    pub not_after: SystemTime,
}

impl Certificate {
    /// Reads one in DER.
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let parsed = Parsed::from_der(der).ok()?;
        let body = parsed.tbs_certificate();
        let at = |since: Duration| SystemTime::UNIX_EPOCH + since;
        Some(Self {
            subject: shown(&body.subject().to_string()),
            issuer: shown(&body.issuer().to_string()),
            names: names(&parsed),
            not_before: at(body.validity().not_before.to_unix_duration()),
            not_after: at(body.validity().not_after.to_unix_duration()),
        })
    }

    /// Whether nobody but itself vouches for it.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

fn names(certificate: &Parsed) -> Vec<String> {
    let Ok(Some((_, names))) = certificate.tbs_certificate().get_extension::<SubjectAltName>() else {
        return Vec::new();
    };
    let name = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(shown(name.as_str())),
        GeneralName::IpAddress(octets) => address(octets.as_bytes()),
        _ => None,
    };
    names.0.iter().filter_map(name).take(NAMES_MAX).collect()
}

fn address(octets: &[u8]) -> Option<String> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(std::net::Ipv4Addr::from(octets).to_string());
    }
    <[u8; 16]>::try_from(octets).ok().map(|octets| std::net::Ipv6Addr::from(octets).to_string())
}

/// Without what terminals would obey, and not without end.
fn shown(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn a_certificate_tells_its_names_and_dates() {
        let mut params = CertificateParams::new(["yard.example".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 2);
        params.not_after = rcgen::date_time_ymd(2021, 1, 2);
        params.distinguished_name.push(rcgen::DnType::CommonName, "yard");
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let read = Certificate::parse(made.der()).unwrap();
        assert!(read.subject.contains("CN=yard"), "{}", read.subject);
        assert_eq!(read.names, ["yard.example", "127.0.0.1"]);
        assert!(read.is_self_signed());
        let unix = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!((unix(read.not_before), unix(read.not_after)), (1_577_923_200, 1_609_545_600));
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        assert_eq!(Certificate::parse(b"no certificate"), None);
        assert_eq!(Certificate::parse(&[]), None);
    }

    #[test]
    fn names_cannot_command_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\n"), "a[2Jb");
        assert_eq!(shown(&"x".repeat(1_000)).len(), NAME_CHARS_MAX);
    }
}
