//! The tidy test: what no compiler checks about this workspace.

mod contract;
mod dependencies;
mod licences;
mod purity;
mod sizes;
mod tree;

use std::path::Path;

use anyhow::Result;

/// Crates that hold the logic and touch nothing outside.
pub(crate) const PURE: [&str; 12] =
    ["wire", "auth", "proto", "lanes", "track", "stream", "peer", "session", "sfu", "link", "sim", "bench"];

/// Prints what is wrong; `true` if nothing is.
pub(crate) fn report(root: &Path) -> Result<bool> {
    let metadata = dependencies::Metadata::load(root)?;
    let sources = tree::Sources::load(root)?;
    let mut findings = metadata.direction();
    findings.extend(licences::check(&metadata.licences()));
    findings.extend(purity::check(&sources));
    findings.extend(sizes::check(&sources));
    findings.extend(sources.check());
    findings.extend(contract::check(root, &sources)?);
    findings.iter().for_each(|finding| println!("tidy: {finding}"));
    println!("tidy: {} findings in {} files", findings.len(), sources.files.len());
    Ok(findings.is_empty())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        assert!(super::report(&crate::root()).unwrap(), "see the findings above");
    }
}
