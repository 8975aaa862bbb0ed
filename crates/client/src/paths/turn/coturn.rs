//! A relay of tests: coturn, from Debian's package of that name.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use trackyard_proto::signal::IceServer;

use crate::paths::inbox::eventually;

const USER: &str = "ada";
const CREDENTIAL: &str = "correct horse";
const PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;
/// For an answer on loopback; whoever has not opened its socket yet does not answer at all.
const ANSWER_MAX: Duration = Duration::from_millis(100);

/// A relay on an address of its own. Dropping it ends its process.
pub(crate) struct Coturn {
    process: Child,
    options: Vec<&'static str>,
    directory: PathBuf,
    ip: IpAddr,
    certificate: rcgen::CertifiedKey<rcgen::KeyPair>,
}

impl Coturn {
    /// Starts one that passes on to everybody; `None` where there is no coturn, which is a failure under `CI`.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(&["--allow-loopback-peers"]).await
    }

    pub(crate) async fn start_with(options: &[&'static str]) -> Option<Self> {
        if !is_installed() {
            assert!(std::env::var_os("CI").is_none(), "turnserver is missing: install the package coturn");
            eprintln!("skipped: turnserver is missing; the package coturn brings it");
            return None;
        }
        let ip = own_address();
        let directory = std::env::temp_dir().join(format!("trackyard-coturn-{ip}"));
        std::fs::create_dir_all(&directory).unwrap();
        let certificate = rcgen::generate_simple_self_signed(vec![ip.to_string()]).unwrap();
        std::fs::write(directory.join("cert.pem"), certificate.cert.pem()).unwrap();
        std::fs::write(directory.join("key.pem"), certificate.signing_key.serialize_pem()).unwrap();
        let process = spawn(ip, &directory, options);
        let coturn = Self { process, options: options.to_vec(), directory, ip, certificate };
        coturn.wait().await;
        Some(coturn)
    }

    /// Ends its process: whatever it knew is forgotten.
    pub(crate) fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it anew on the same address.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(self.ip, &self.directory, &self.options);
        self.wait().await;
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.ip
    }

    pub(crate) fn udp(&self) -> String {
        format!("turn:{}:{PORT}?transport=udp", self.ip)
    }

    pub(crate) fn tcp(&self) -> String {
        format!("turn:{}:{PORT}?transport=tcp", self.ip)
    }

    pub(crate) fn tls(&self) -> String {
        format!("turns:{}:{TLS_PORT}?transport=tcp", self.ip)
    }

    /// What a client has that trusts its certificate.
    pub(crate) fn trusting(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.cert.der().clone()).unwrap();
        client_config(roots)
    }

    async fn wait(&self) {
        let is_open = |port| TcpStream::connect(SocketAddr::new(self.ip, port)).is_ok();
        eventually(|| is_open(PORT) && is_open(TLS_PORT) && answers(SocketAddr::new(self.ip, PORT))).await;
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        // It may have been stopped already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Whether somebody answers a STUN request over UDP.
fn answers(address: SocketAddr) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address).unwrap();
    socket.set_read_timeout(Some(ANSWER_MAX)).unwrap();
    let request = b"\0\x01\0\0\x21\x12\xa4\x42twelve bytes";
    socket.send(request).is_ok() && socket.recv(&mut [0; 1_500]).is_ok()
}

/// What a client has that trusts nobody in particular.
pub(crate) fn trusting_nobody() -> Arc<ClientConfig> {
    client_config(RootCertStore::empty())
}

/// As a server names relays.
pub(crate) fn server(urls: &[String]) -> IceServer {
    IceServer { urls: urls.to_vec(), username: USER.to_owned(), credential: CREDENTIAL.to_owned() }
}

fn client_config(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn is_installed() -> bool {
    Command::new("turnserver").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A loopback address that no other test has, in this process or in another.
fn own_address() -> IpAddr {
    static COUNT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 64 | high & 63, low, COUNT.fetch_add(1, Ordering::Relaxed)))
}

fn spawn(ip: IpAddr, directory: &std::path::Path, options: &[&str]) -> Child {
    let file = |name: &str| directory.join(name).display().to_string();
    let mut command = Command::new("turnserver");
    command.args([
        "-n",
        "--no-cli",
        "--no-dtls",
        "--lt-cred-mech",
        "--realm=trackyard.test",
        "--no-multicast-peers",
    ]);
    command.args(["--log-file=stdout", "--simple-log"]);
    command.arg(format!("--user={USER}:{CREDENTIAL}"));
    command.args([format!("--listening-ip={ip}"), format!("--relay-ip={ip}")]);
    command.args([format!("--listening-port={PORT}"), format!("--tls-listening-port={TLS_PORT}")]);
    command.args([format!("--cert={}", file("cert.pem")), format!("--pkey={}", file("key.pem"))]);
    command.args([format!("--userdb={}", file("turndb")), format!("--pidfile={}", file("pid"))]);
    command.args(options).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}
