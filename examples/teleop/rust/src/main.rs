//! A robot that is driven from afar, and stops when its operator vanishes.

#![allow(clippy::print_stdout, reason = "it shows what it does")]

mod messages;
mod motors;
mod operator;
mod robot;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::signal::ctrl_c;
use trackyard::{Room, RoomOptions};

/// Velocities, from the operator to the robot.
const COMMANDS: &str = "cmd_vel";
/// Where the robot is, from the robot to the operator.
const TELEMETRY: &str = "telemetry";

/// Drives a robot, or is one
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
    /// Obey an operator
    Robot {
        /// Identity of the operator; nobody else is obeyed
        #[arg(long, default_value = "operator")]
        operator: String,
    },
    /// Drive a robot along a curve
    Operator {
        /// Identity of the robot
        #[arg(long, default_value = "robot")]
        robot: String,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { url, token, mode } = Arguments::parse();
    let (room, _events) = Room::connect(&url, token, RoomOptions::new()).await?;
    let outcome = tokio::select! {
        ended = run(&room, &mode) => ended,
        interrupted = ctrl_c() => Ok(interrupted?),
    };
    room.close().await;
    outcome
}

async fn run(room: &Room, mode: &Mode) -> Result<()> {
    match mode {
        Mode::Robot { operator } => robot::run(room, operator).await,
        Mode::Operator { robot } => operator::run(room, robot).await,
    }
}
