//! The server as tests start it: `rig-server serve --config-body YAML`. Each line of its standard input is the number of a
//! worker that is to die.

use std::io::{Write, stdin};
use std::thread;

use anyhow::{Result, anyhow, bail};
use tracing::info;
use trackyard_server::config::{Overrides, Sources, load};
use trackyard_server::{Endpoints, Faults, RunOptions, run};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [_serve, _flag, body] = arguments.as_slice() else { bail!("serve --config-body YAML") };
    let none = |_: &str| None;
    let sources =
        Sources { file: None, body: Some(body.clone()), env: &none, overrides: Overrides::default() };
    let loaded = load(sources).map_err(|errors| anyhow!("{errors}"))?;
    let writer = || Box::new(std::io::stderr()) as Box<dyn Write>;
    tracing_subscriber::fmt()
        .with_env_filter("warn,trackyard=info,rig_server=info")
        .with_writer(writer)
        .with_ansi(false)
        .init();
    let ready = |endpoints: &Endpoints| info!(http = ?endpoints.http, "serving");
    let options = RunOptions {
        demo: false,
        ready: Box::new(ready),
        faults: Some(Box::new(obey)),
        log_lines_lost: std::sync::Arc::default(),
    };
    run(loaded, options).await
}

fn obey(faults: Faults) {
    thread::spawn(move || {
        let workers = stdin().lines().map_while(Result::ok).filter_map(|line| line.trim().parse().ok());
        workers.for_each(|worker| faults.kill_worker(worker));
    });
}
