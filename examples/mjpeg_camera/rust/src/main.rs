//! Pictures of a camera as JPEG frames: one program publishes them, others show how they arrive.

#![allow(clippy::print_stdout, reason = "it shows what it does")]

mod pictures;
mod publish;
mod receive;
mod scene;

use anyhow::Result;
use clap::{Parser, Subcommand};
use trackyard::{FrameEncoding, Room, RoomOptions};

/// The track's name, by which subscribers find it.
const TRACK: &str = "camera/front";

/// Sends or receives pictures
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
    /// Send pictures until Ctrl-C: those of a directory, or a moving scene
    Publish(publish::Publish),
    /// Receive pictures until Ctrl-C
    Receive(receive::Receive),
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { url, token, mode } = Arguments::parse();
    let (room, _events) = Room::connect(&url, token, RoomOptions::new()).await?;
    let outcome = match mode {
        Mode::Publish(publish) => publish.run(&room).await,
        Mode::Receive(receive) => receive.run(&room).await,
    };
    room.close().await;
    outcome
}

/// What frames of single JPEG pictures are called; the protocol has no number for it.
fn mjpeg() -> FrameEncoding {
    FrameEncoding::Custom("mjpeg".to_owned())
}
