//! The table of what is committed, in the document for people.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::committed::{Committed, Cost};
use crate::pieces::{PIECES, Piece};
use crate::verdict::thousands;

const BEGIN: &str = "<!-- counts: begin -->\n";
const END: &str = "<!-- counts: end -->\n";

/// The document.
pub(crate) fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md")
}

/// Puts the table into the document.
pub(crate) fn write(committed: &Committed) -> Result<()> {
    let path = file();
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let text = with_table(&text, &table(committed)).context("the document has no place for the table")?;
    fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// The document with this table in place of its own.
fn with_table(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some([before, BEGIN, table, END, after].concat())
}

fn table(committed: &Committed) -> String {
    let mut lines = vec![
        "| one operation | instructions | in libraries | allocations | bytes |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    let costs = PIECES.iter().filter_map(|piece| Some((piece, committed.pieces.get(piece.name)?)));
    lines.extend(costs.map(|(piece, cost)| row(piece, *cost)));
    lines.join("\n") + "\n"
}

fn row(piece: &Piece, cost: Cost) -> String {
    let Cost { instructions, system, allocations, bytes } = cost;
    // What is not compared is another on the next processor.
    let compared = |count| if piece.is_gated { thousands(count) } else { "-".to_owned() };
    let (own, system, bytes) = (compared(instructions), compared(system), thousands(bytes));
    format!("| {} | {own} | {system} | {allocations:.2} | {bytes} |", piece.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_counts_that_are_committed() {
        let text = fs::read_to_string(file()).unwrap();
        let table = table(&Committed::read(&crate::file()).unwrap());
        let expected = with_table(&text, &table).unwrap();
        assert!(text == expected, "run `cargo xtask counts --write`; it is to be\n{table}");
    }

    #[test]
    fn each_row_says_something_else() {
        let mut all = PIECES.map(|piece| piece.what);
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
    }

    #[test]
    fn only_the_table_is_replaced() {
        let text = format!("a\n{BEGIN}old\n{END}b\n");
        assert_eq!(with_table(&text, "new\n").unwrap(), format!("a\n{BEGIN}new\n{END}b\n"));
        assert_eq!(with_table("a\n", "new\n"), None);
    }
}
