//! `trackyard completions`: what shells complete the command with.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Cli, Outcome, output};

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trackyard completions bash > ~/.local/share/bash-completion/completions/trackyard
  trackyard completions zsh > ~/.zfunc/_trackyard
  trackyard completions fish > ~/.config/fish/completions/trackyard.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "trackyard", &mut script);
        output::write(&script)
    }
}
