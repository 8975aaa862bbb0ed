//! Runs this program under callgrind, and reads what it has counted.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::meter::{Allocated, REGION};

/// The C library chooses how memory is copied by what the processor can do; this leaves it one way.
const PLAIN_COPIES: &str =
    "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load";

/// What one operation of a piece costs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Count {
    pub(crate) name: String,
    /// Instructions of this program.
    pub(crate) instructions: f64,
    /// Instructions of the system's libraries on its behalf: memory copied, allocated, given back.
    pub(crate) system: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

/// Counts every piece, in one run.
pub(crate) fn count() -> Result<Vec<Count>> {
    let directory = Scratch::new()?;
    let program = std::env::current_exe().context("this program's file is not known")?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no", "--dump-line=no"])
        .arg(format!("--zero-before={REGION}"))
        .arg(format!("--dump-after={REGION}"))
        .arg(format!("--callgrind-out-file={}/out", directory.0.display()))
        .arg(&program)
        .arg("measure")
        .env("GLIBC_TUNABLES", PLAIN_COPIES)
        .stderr(Stdio::piped())
        .output()
        .context("valgrind cannot be run; install its package")?;
    ensure!(output.status.success(), "valgrind: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout)?;
    let allocated = lines.lines().map(serde_json::from_str).collect::<Result<Vec<Allocated>, _>>()?;
    let name = program.display().to_string();
    (1..).zip(allocated).map(|(number, piece)| directory.count(number, piece, &name)).collect()
}

/// A directory for callgrind's files, which goes when it is done.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("trackyard-counts-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self(path))
    }

    /// The dump of that number, for one operation.
    fn count(&self, number: u32, piece: Allocated, program: &str) -> Result<Count> {
        let path = self.0.join(format!("out.{number}"));
        let dump = fs::read_to_string(&path)
            .with_context(|| format!("callgrind has not written {}", path.display()))?;
        let (own, system) = split(&dump, Path::new(program));
        let per = |count: u64| count as f64 / piece.operations as f64;
        Ok(Count {
            instructions: per(own),
            system: per(system),
            allocations: per(piece.allocations),
            bytes: per(piece.bytes),
            name: piece.name,
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind in the directory for temporary files does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Instructions of one program file, and those of all others, in a dump of callgrind's.
///
/// A line of numbers belongs to the object named last, unless it follows `calls=`: then it is what a call has cost in
/// all, which is counted where it was spent.
fn split(dump: &str, program: &Path) -> (u64, u64) {
    let mut by_object: HashMap<&str, u64> = HashMap::new();
    let (mut object, mut is_call) = ("", false);
    for line in dump.lines() {
        if let Some(name) = line.strip_prefix("ob=") {
            object = name;
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok());
            if !std::mem::take(&mut is_call) {
                *by_object.entry(object).or_default() += cost.unwrap_or_default();
            }
        }
    }
    let own = by_object.remove(program.to_string_lossy().as_ref()).unwrap_or_default();
    (own, by_object.values().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_has_cost_is_counted_where_it_was_spent() {
        let dump = "\
events: Ir

ob=/bin/counts
fl=a.rs
fn=one
0 100
cob=/lib/libc.so.6
cfn=memcpy
calls=3 0
0 30
0 5
ob=/lib/libc.so.6
fn=memcpy
0 30
totals: 135
";
        assert_eq!(split(dump, Path::new("/bin/counts")), (105, 30));
    }
}
