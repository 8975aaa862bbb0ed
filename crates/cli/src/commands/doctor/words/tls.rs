//! TLS and certificates.

use std::time::SystemTime;

use serde_json::{Value, json};
use trackyard::diagnose::{Certificate, TlsProblem, TlsReport};

use super::time::{date, span, unix_s};

/// A certificate that ends sooner is worth a word: renewals happen a month before.
const RENEWAL_S: u64 = 14 * 86_400;

/// What was found, in a line.
pub(in super::super) fn tls_line(report: &TlsReport) -> String {
    let shown = report.certificate.as_ref().map(describe);
    match (&report.problem, &report.version) {
        (Some(problem), _) => {
            let shown = shown.map(|shown| format!("; {shown}")).unwrap_or_default();
            format!("{problem}{shown}")
        }
        (None, version) => {
            let version = version.as_deref().unwrap_or("TLS");
            format!("{version}, {}", shown.unwrap_or_else(|| "a certificate that cannot be read".to_owned()))
        }
    }
}

fn describe(certificate: &Certificate) -> String {
    let Certificate { subject, issuer, names, not_after, .. } = certificate;
    let of = if names.is_empty() { subject.clone() } else { names.join(", ") };
    let by = if certificate.is_self_signed() { "itself" } else { issuer };
    format!("certificate of {of}, signed by {by}, until {}", date(*not_after))
}

/// What programs want to know.
pub(in super::super) fn tls_facts(report: &TlsReport) -> Value {
    let certificate = report.certificate.as_ref().map(|certificate| {
        json!({
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "names": certificate.names,
            "not_before": unix_s(certificate.not_before),
            "not_after": unix_s(certificate.not_after),
        })
    });
    json!({ "version": report.version, "certificate": certificate })
}

/// It is valid, and not for long.
pub(in super::super) fn tls_warning(report: &TlsReport) -> Option<String> {
    let certificate = report.certificate.as_ref().filter(|_| report.problem.is_none())?;
    let left = certificate.not_after.duration_since(SystemTime::now()).ok()?.as_secs();
    (left < RENEWAL_S).then(|| format!("The server's certificate expires in {}: renew it.", span(left)))
}

/// What is wrong, and what to do.
pub(in super::super) fn tls_problem(host: &str, report: &TlsReport) -> Option<String> {
    let problem = report.problem.as_ref()?;
    let certificate = report.certificate.as_ref();
    let on = |time: fn(&Certificate) -> SystemTime| certificate.map(|known| date(time(known)));
    let text = match problem {
        TlsProblem::Expired => {
            let since = on(|known| known.not_after).map(|at| format!(" (on {at})")).unwrap_or_default();
            format!("The server's certificate has expired{since}: renew it, and check this machine's clock.")
        }
        TlsProblem::NotYetValid => {
            let from = on(|known| known.not_before).map(|at| format!(" (before {at})")).unwrap_or_default();
            format!("The server's certificate is not valid yet{from}: check this machine's clock.")
        }
        TlsProblem::NameMismatch => {
            let names = certificate.map(|known| known.names.join(", ")).unwrap_or_default();
            format!(
                "The server's certificate is not for `{host}` but for {}: use one of these names in the URL, or a \
                 certificate with this name.",
                if names.is_empty() { "no host".to_owned() } else { names }
            )
        }
        TlsProblem::UnknownIssuer => unknown_issuer(certificate),
        TlsProblem::NotTls => {
            "The URL asks for TLS (wss), and what answers does not speak it: use ws:// if the \
             server is to be reached without TLS, or the port of the proxy that ends TLS for it."
                .to_owned()
        }
        TlsProblem::NoAnswer { .. } => {
            "The port is open, and nobody answers there: check that the port is the \
             server's, and that the proxy before it runs."
                .to_owned()
        }
        TlsProblem::Closed | TlsProblem::Refused { .. } => format!(
            "{problem}: check that the proxy that ends TLS knows the host `{host}` and has a certificate for it."
        ),
        other => format!("{other}: look at the server's certificate and at the proxy that ends TLS."),
    };
    Some(capitalised(text))
}

fn unknown_issuer(certificate: Option<&Certificate>) -> String {
    match certificate {
        Some(certificate) if certificate.is_self_signed() => {
            "The server's certificate is signed by itself, and nobody vouches for it: use a certificate of a \
             known authority, or give its root to clients (here --root-certificate FILE)."
                .to_owned()
        }
        certificate => {
            let issuer = certificate.map(|known| format!(" ({})", known.issuer)).unwrap_or_default();
            format!(
                "The issuer of the server's certificate{issuer} is not known here: let the server send the whole \
                 chain, or give the issuer's root to clients (here --root-certificate FILE)."
            )
        }
    }
}

fn capitalised(text: String) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => text,
    }
}
