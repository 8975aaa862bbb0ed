//! Sensor readings at 50 Hz from one program to any number of others.

#![allow(clippy::print_stdout, reason = "it shows what it does")]

mod publish;
mod subscribe;

use anyhow::Result;
use clap::{Parser, Subcommand};
use trackyard::{Room, RoomOptions};

/// The track's name, by which subscribers find it.
const TRACK: &str = "odometry";

/// Sends or receives the readings of a wheel encoder
#[derive(Parser)]
struct Arguments {
    /// The server
    #[arg(long, env = "LIVEKIT_URL", default_value = "ws://localhost:7880")]
    url: String,
    /// Who may join which room; `trackyard token create` makes one
    #[arg(long, env = "LIVEKIT_TOKEN", hide_env_values = true)]
    token: String,
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand)]
enum Mode {
    /// Send readings until Ctrl-C
    Publish,
    /// Receive readings until Ctrl-C
    Subscribe {
        /// Identity of the publisher, which need not be there yet
        #[arg(long, default_value = "sensor")]
        from: String,
        /// End after so many readings
        #[arg(long)]
        frames: Option<u64>,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { url, token, mode } = Arguments::parse();
    // From here on the connection is kept by itself: over lost links, changed networks and restarted servers.
    let (room, _events) = Room::connect(&url, token, RoomOptions::new()).await?;
    let outcome = match mode {
        Mode::Publish => publish::run(&room).await,
        Mode::Subscribe { from, frames } => subscribe::run(&room, &from, frames).await,
    };
    // Without this, others would learn only some seconds later that this program has gone.
    room.close().await;
    outcome
}
