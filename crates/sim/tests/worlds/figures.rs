//! Figures that tests measure: printed, and kept in a file where one is asked for.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::sync::{Mutex, PoisonError};

/// Names a directory for what is to be kept.
const DIRECTORY_VARIABLE: &str = "TRACKYARD_ARTIFACTS";
const FILE: &str = "links-sim.md";

static FIGURES: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Prints a figure and keeps it.
#[expect(clippy::print_stdout, reason = "figures are read from the output of tests")]
pub(crate) fn figure(name: impl Display, value: impl Display) {
    println!("figure: {name} = {value}");
    let mut figures = FIGURES.lock().unwrap_or_else(PoisonError::into_inner);
    figures.insert(name.to_string(), value.to_string());
    keep(&figures);
}

/// Tests run side by side, so each figure rewrites the file with all so far.
fn keep(figures: &BTreeMap<String, String>) {
    let Some(directory) = std::env::var_os(DIRECTORY_VARIABLE) else { return };
    let mut text = String::from(
        "# Simulated links\n\nVirtual time; real ICE, DTLS and SCTP unless a figure says otherwise.\n\n",
    );
    text.push_str("| figure | value |\n|---|---|\n");
    for (name, value) in figures {
        writeln!(text, "| {name} | {value} |").expect("strings take everything");
    }
    let path = std::path::PathBuf::from(directory).join(FILE);
    std::fs::write(&path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}
