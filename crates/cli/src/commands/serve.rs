//! `trackyard serve`: a server, until it is told to stop.

mod faults;

use clap::Args;
use tracing::info;
use trackyard_server::config::Loaded;
use trackyard_server::{Endpoints, Faults, RunOptions, run};

use crate::failure::Failure;
use crate::serve_flags::ServeFlags;
use crate::{Outcome, descriptors, logging};

/// Run a server until SIGTERM or Ctrl-C
#[derive(Debug, Args)]
#[command(after_help = "\
What comes later wins: the file, or LIVEKIT_CONFIG in its place, or --config-body in the place of both;
then the environment; then the flags. Every key of the file that takes one word has a variable of its
own, such as LIVEKIT_RTC_TCP_PORT for `rtc.tcp_port`, and TRACKYARD_WORKERS for `workers`.

Examples:
  trackyard serve --config config.yaml
  trackyard serve --keys \"mykey: $SECRET\" --node-ip 203.0.113.7
  LIVEKIT_CONFIG=\"$(cat config.yaml)\" trackyard serve --udp-port 7882-7889")]
pub(crate) struct Serve {
    #[command(flatten)]
    flags: ServeFlags,
    /// Do to the server what lines of standard input say, and stop at their end: for `bench soak`
    #[arg(long, hide = true)]
    faults: bool,
}

impl Serve {
    pub(crate) fn run(self) -> Outcome {
        let loaded = self.flags.load()?;
        if loaded.config.api_keys.is_empty() {
            let text = "there are no API keys; set `keys` or `key_file` in the configuration, LIVEKIT_KEYS or --keys, or try `trackyard dev`";
            return Err(Failure::Usage(text.to_owned()));
        }
        let log_lines_lost = logging::start(&loaded.config.logging)?;
        let ready = |endpoints: &Endpoints| {
            let Endpoints { http, metrics, udp, tcp } = endpoints;
            info!(?http, ?metrics, ?udp, ?tcp, "serving");
        };
        // The demo hands out tokens to whoever asks, which only `trackyard dev` is for.
        let given: Option<Box<dyn FnOnce(Faults) + Send>> =
            if self.faults { Some(Box::new(faults::obey)) } else { None };
        serve(loaded, RunOptions { demo: false, ready: Box::new(ready), faults: given, log_lines_lost })
    }
}

/// Runs a server on a runtime of its own.
pub(super) fn serve(loaded: Loaded, options: RunOptions) -> Outcome {
    descriptors::raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| anyhow::Error::new(error).context("threads cannot be started"))?;
    Ok(runtime.block_on(run(loaded, options))?)
}
