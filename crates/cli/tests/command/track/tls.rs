//! Servers behind TLS, with issuers of one's own.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::site::{Site, TempDir};

/// What ends TLS in front of a server, as long as it lives.
struct Front {
    _runtime: tokio::runtime::Runtime,
    url: String,
    certificate_pem: String,
}

impl Front {
    fn of(site: &Site) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = site.url.strip_prefix("ws://").unwrap().to_owned();
        runtime.spawn(carry(listener, TlsAcceptor::from(Arc::new(config)), behind));
        Self { _runtime: runtime, url: format!("wss://localhost:{port}"), certificate_pem: made.cert.pem() }
    }
}

async fn carry(listener: TcpListener, acceptor: TlsAcceptor, behind: String) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, behind) = (acceptor.clone(), behind.clone());
        tokio::spawn(async move {
            // A client that does not trust it goes away.
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            let mut plain = TcpStream::connect(behind).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut tls, &mut plain).await;
        });
    }
}

#[test]
fn a_root_certificate_is_trusted_where_it_is_given() {
    let site = Site::start();
    let front = Front::of(&site);
    let directory = TempDir::new("roots");
    let file = directory.file("roots.pem", front.certificate_pem.as_bytes());
    let list = ["list", "--json", "--url", &front.url];
    let said = site.track(&[&list[..], &["--root-certificate", &file]].concat()).finish();
    assert_eq!(said.json(), serde_json::json!([]), "{}", said.err);
    site.track(&list).finish().failed(3, &["no TLS with `localhost`", "is given with --root-certificate"]);
}
