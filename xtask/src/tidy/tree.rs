//! Every file that git tracks or would track, and what holds for all of them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// One text file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// From the root of the workspace.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All text files.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) files: Vec<Source>,
}

/// Hosts of package registries and code hosts' download services have no place in the tree.
const HOSTS: [&str; 4] = ["registry.npmjs", "files.pythonhosted", "static.crates", "index.crates"];
/// Directories of somebody's machine.
const MACHINE_PATHS: [&str; 3] = ["/home/", "/root/", "/work/"];

impl Sources {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let listed = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("git cannot be run")?;
        ensure!(listed.status.success(), "git ls-files: {}", listed.status);
        let mut files = Vec::new();
        for path in String::from_utf8(listed.stdout)?.lines() {
            // Deleted in the work tree, or no text.
            if let Ok(text) = std::fs::read_to_string(root.join(path)) {
                files.push(Source { path: path.to_owned(), text });
            }
        }
        Ok(Self { files })
    }

    /// Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// What is wrong with single files.
    pub(crate) fn check(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for file in &self.files {
            // This file names what it looks for.
            if file.path.starts_with("xtask/src/tidy/") {
                continue;
            }
            for word in HOSTS.iter().chain(&MACHINE_PATHS) {
                if file.text.contains(word) {
                    findings.push(format!("{}: contains `{word}`", file.path));
                }
            }
        }
        for file in self.rust() {
            if !file.text.starts_with("//!") {
                findings.push(format!("{}: does not open with `//!`", file.path));
            }
        }
        findings.extend(self.check_crates());
        findings
    }

    /// Each crate takes the workspace's lints, and opens with what it is and never does.
    fn check_crates(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for file in &self.files {
            if file.path.ends_with("/Cargo.toml") && !file.text.contains("[lints]\nworkspace = true") {
                findings.push(format!("{}: does not take the workspace's lints", file.path));
            }
            if file.path.starts_with("crates/") && file.path.ends_with("/src/lib.rs") {
                let opening: String = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
                if !["never", "Nothing here"].iter().any(|word| opening.contains(word)) {
                    findings.push(format!("{}: does not say what the crate never does", file.path));
                }
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        Sources { files: vec![Source { path: path.to_owned(), text: text.to_owned() }] }.check()
    }

    #[test]
    fn what_is_wrong_is_found() {
        assert_eq!(findings("crates/a/src/b.rs", "//! B.\n"), Vec::<String>::new());
        assert_eq!(findings("crates/a/src/b.rs", "use x;\n").len(), 1);
        assert_eq!(findings("notes.md", "see /home/someone/x").len(), 1);
        assert_eq!(findings("crates/a/src/lib.rs", "//! A.\n").len(), 1);
        assert_eq!(findings("crates/a/Cargo.toml", "[package]\n").len(), 1);
    }
}
