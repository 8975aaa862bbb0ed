//! The `trackyard` command.

#![deny(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "they panic where nothing can be written: `say!` and `output` do not"
)]

#[macro_use]
mod say;

mod clock;
mod commands;
mod connection;
mod descriptors;
mod duration;
mod failure;
mod interrupt;
mod lines;
mod logging;
mod output;
mod pair;
mod progress;
mod quantity;
mod runtime;
mod sending;
mod sensitive;
mod serve_flags;
mod session;
mod text;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Realtime data plane: rooms, data tracks and an SFU that LiveKit clients connect to.
#[derive(Debug, Parser)]
#[command(
    name = "trackyard",
    version,
    after_help = "\
Examples:
  trackyard dev                         try it: server, key, token and a demo page
  trackyard serve --config config.yaml  run a server
  trackyard check-config config.yaml    see what a configuration means
  trackyard track list                  see who publishes what
  trackyard track echo pose             print the frames of a data track
  trackyard room list                   see which rooms there are
  trackyard file send map.bin           send a file to the room
  trackyard rpc call robot-1 dock 3     call a method of a participant
  trackyard doctor wss://yard.example   find out why a connection fails
  trackyard bench --for 10s             measure delivery and latency under load

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not connected, 4 not found,
124 not in the time given, 130 interrupted before it was done."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(commands::serve::Serve),
    Dev(commands::dev::Dev),
    CheckConfig(commands::check_config::CheckConfig),
    #[command(subcommand)]
    Token(commands::token::Token),
    #[command(subcommand)]
    Track(commands::track::Track),
    #[command(subcommand)]
    Room(commands::room::Room),
    #[command(subcommand)]
    Participant(commands::participant::Participant),
    #[command(subcommand)]
    Data(commands::data::Data),
    #[command(subcommand)]
    Text(commands::text::Text),
    #[command(subcommand)]
    File(commands::file::File),
    #[command(subcommand)]
    Rpc(commands::rpc::Rpc),
    #[command(subcommand)]
    Attr(commands::attr::Attr),
    Doctor(Box<commands::doctor::Doctor>),
    Bench(Box<commands::bench::Bench>),
    Completions(commands::completions::Completions),
    Man(commands::man::Man),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Dev(dev) => dev.run(),
        Command::CheckConfig(check) => check.run(),
        Command::Token(commands::token::Token::Create(create)) => create.run(),
        Command::Track(track) => track.run(),
        Command::Room(room) => room.run(),
        Command::Participant(participant) => participant.run(),
        Command::Data(data) => data.run(),
        Command::Text(text) => text.run(),
        Command::File(file) => file.run(),
        Command::Rpc(rpc) => rpc.run(),
        Command::Attr(attr) => attr.run(),
        Command::Doctor(doctor) => doctor.run(),
        Command::Bench(bench) => bench.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    };
    outcome.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

/// What a command ends with.
type Outcome = Result<(), Failure>;
