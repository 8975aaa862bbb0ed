//! TLS before a server.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;

use super::gateway::{Gateway, Manner};
use super::support::{Site, TempFile, doctor};

/// A gateway with a certificate that it has signed itself, for this name, and that in PEM.
async fn gateway(
    site: &Site,
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> (Gateway, TempFile) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(2090, 1, 1);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let chain = vec![certificate.der().clone()];
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let manner = Manner { tls: Some(Arc::new(config)), ..Manner::default() };
    (Gateway::start(site.http(), manner).await, TempFile::new("root.pem", &certificate.pem()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_told_and_can_be_trusted() {
    let site = Site::plain().await;
    let (gateway, root) = gateway(&site, "127.0.0.1", |_| {}).await;
    let ran = doctor(&gateway.url("wss"), &[]).await;
    ran.check(3, &[
        "✗ TLS         the certificate's issuer is unknown; certificate of 127.0.0.1, signed by itself, until 2090-01-01",
        "– Token       not looked at",
        "TLS failed. The server's certificate is signed by itself, and nobody vouches for it",
        "--root-certificate FILE",
    ]);
    let ran = doctor(&gateway.url("wss"), &["--root-certificate", root.path()]).await;
    ran.check(
        0,
        &[
            "✓ TLS         TLS 1.3, certificate of 127.0.0.1, signed by itself, until 2090-01-01 00:00 UTC",
            "✓ Echo        a frame of 100 bytes comes back",
            "\nEverything works.\n",
        ],
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_told_with_its_date() {
    let site = Site::plain().await;
    let (gateway, root) = gateway(&site, "127.0.0.1", |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 29);
    })
    .await;
    let ran = doctor(&gateway.url("wss"), &["--root-certificate", root.path()]).await;
    ran.check(3, &["TLS failed. The server's certificate has expired (on 2020-02-29 00:00 UTC): renew it"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_valid_yet_is_told_with_its_date() {
    let site = Site::plain().await;
    let (gateway, root) =
        gateway(&site, "127.0.0.1", |params| params.not_before = date_time_ymd(2080, 1, 1)).await;
    let ran = doctor(&gateway.url("wss"), &["--root-certificate", root.path()]).await;
    ran.check(3, &["TLS failed. The server's certificate is not valid yet (before 2080-01-01 00:00 UTC)"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_host_is_told_with_its_names() {
    let site = Site::plain().await;
    let (gateway, root) = gateway(&site, "yard.example", |_| {}).await;
    let ran = doctor(&gateway.url("wss"), &["--root-certificate", root.path()]).await;
    ran.check(3, &["TLS failed. The server's certificate is not for `127.0.0.1` but for yard.example"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_where_there_is_none_and_none_where_there_is_are_told() {
    let site = Site::plain().await;
    let ran = doctor(&format!("wss://{}", site.http()), &[]).await;
    ran.check(
        3,
        &[
            "✗ TLS         what answers does not speak TLS",
            "TLS failed. The URL asks for TLS (wss)",
            "use ws://",
        ],
    );
    let (gateway, _) = gateway(&site, "127.0.0.1", |_| {}).await;
    let ran = doctor(&gateway.url("ws"), &[]).await;
    ran.check(3, &["Token failed. ", "if the port expects TLS, use wss:// in the URL"]);
    site.stop().await;
}
