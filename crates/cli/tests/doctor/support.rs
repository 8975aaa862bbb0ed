//! A server in this process, and the command as its users run it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use trackyard_auth::{Token, VideoGrant};
use trackyard_server::Server;
use trackyard_server::config::{Overrides, Sources, load};

pub(crate) const KEY: &str = "yard-key";
pub(crate) const SECRET: &str = "nobody-else-knows-these-words-of-the-yard";
/// Each run ends by then, whatever does not answer.
const RUN_MAX: Duration = Duration::from_secs(20);

/// A server on loopback with a key of its own.
pub(crate) struct Site {
    server: Server,
}

impl Site {
    /// With these keys of configuration on top, and these in its section `rtc`.
    pub(crate) async fn start(top: &str, rtc: &str) -> Self {
        let body = format!(
            "{top}\nport: 0\ndevelopment: true\nkeys: {{{KEY}: {SECRET}}}\nrtc: {{udp_port: 0, ips: {{includes: [127.0.0.0/8]}}{rtc}}}\n"
        );
        let none = |_: &str| None;
        let sources = Sources { file: None, body: Some(body), env: &none, overrides: Overrides::default() };
        let loaded = load(sources).map_err(|errors| errors.to_string()).unwrap();
        Self { server: Server::start(&loaded.config).await.unwrap() }
    }

    /// With UDP and TCP on loopback.
    pub(crate) async fn plain() -> Self {
        Self::start("", &format!(", tcp_port: {}", free_port())).await
    }

    pub(crate) fn http(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.server.endpoints().http[0].port()))
    }

    pub(crate) fn udp_port(&self) -> u16 {
        self.server.endpoints().udp[0].port()
    }

    pub(crate) fn tcp_port(&self) -> u16 {
        self.server.endpoints().tcp[0].port()
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.http())
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// What a run has said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The exit code, and words that are all in the output.
    #[track_caller]
    pub(crate) fn check(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        for part in words {
            assert!(self.out.contains(part), "`{part}` in:\n{}{}", self.out, self.err);
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// Runs `trackyard doctor URL` with the right key.
pub(crate) async fn doctor(url: &str, args: &[&str]) -> Ran {
    run(&[&[url][..], args].concat(), &[("LIVEKIT_API_KEY", KEY), ("LIVEKIT_API_SECRET", SECRET)]).await
}

/// Runs `trackyard doctor`. Whatever is found, it is in time, and shows no secret and no token.
pub(crate) async fn run(args: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trackyard"));
    command.arg("doctor").args(args).env_clear().envs(env.iter().copied());
    let begin = Instant::now();
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(begin.elapsed() < RUN_MAX, "it took {:?}", begin.elapsed());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) };
    let values = args.iter().zip(args.iter().skip(1)).filter(|(flag, _)| SECRET_FLAGS.contains(flag));
    let secrets = values.map(|(_, value)| *value).chain([SECRET]);
    for secret in secrets {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{}{}", ran.out, ran.err);
    }
    // Every token begins so.
    assert!(!ran.out.contains("eyJ") && !ran.err.contains("eyJ"), "{}{}", ran.out, ran.err);
    ran
}

const SECRET_FLAGS: [&str; 3] = ["--api-secret", "--token", "--second-token"];

/// A token that was made so many seconds ago, and is valid for an hour from then on.
pub(crate) fn token(identity: &str, grant: VideoGrant, age_s: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let token = Token::new(identity).grant(grant).validity(Duration::from_secs(3_600));
    token.to_jwt(KEY, SECRET, now - age_s).unwrap()
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A file that goes away with the test.
pub(crate) struct TempFile(std::path::PathBuf);

impl TempFile {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!(
            "{}-{:x}-{name}",
            std::process::id(),
            fastrand::u64(..)
        ));
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // A file that is left behind does no harm.
        let _ = std::fs::remove_file(&self.0);
    }
}
