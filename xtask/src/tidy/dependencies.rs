//! Who may depend on whom, from `cargo metadata`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::PURE;

/// What pure crates never depend on: runtimes, sockets, files, servers.
const OUTSIDE: [&str; 9] = [
    "tokio",
    "mio",
    "axum",
    "hyper",
    "socket2",
    "quinn-udp",
    "tower-http",
    "tracing-subscriber",
    "tokio-tungstenite",
];
/// Edge crates, which no pure crate knows.
const EDGE: [&str; 8] = [
    "trackyard",
    "trackyard-api",
    "trackyard-http",
    "trackyard-relay",
    "trackyard-net",
    "trackyard-server",
    "trackyard-cli",
    "trackyard-rig",
];
/// What the SDK never brings along: the server's side.
const SERVER_SIDE: [&str; 4] = ["trackyard-sfu", "trackyard-net", "trackyard-server", "trackyard-auth"];
/// The only packages that may depend on the server.
const ABOVE_SERVER: [&str; 2] = ["trackyard-cli", "trackyard-rig"];

/// What `cargo metadata` says.
pub(crate) struct Metadata {
    packages: Vec<Package>,
}

struct Package {
    name: String,
    licence: String,
    ours: bool,
    /// Normal and build dependencies.
    dependencies: Vec<String>,
}

impl Metadata {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(root)
            .output()
            .context("cargo cannot be run")?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        Self::parse(&serde_json::from_slice(&output.stdout)?)
    }

    fn parse(metadata: &Value) -> Result<Self> {
        let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
        Ok(Self { packages: packages.iter().map(Package::parse).collect() })
    }

    /// Every package that is not ours, with its licence.
    pub(crate) fn licences(&self) -> Vec<(String, String)> {
        let foreign = self.packages.iter().filter(|package| !package.ours);
        foreign.map(|package| (package.name.clone(), package.licence.clone())).collect()
    }

    /// Dependencies that point the wrong way.
    pub(crate) fn direction(&self) -> Vec<String> {
        let ours = self.packages.iter().filter(|package| package.ours);
        ours.flat_map(|package| package.dependencies.iter().filter_map(|on| wrong(&package.name, on)))
            .collect()
    }
}

impl Package {
    fn parse(package: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        Self {
            name: text(&package["name"]),
            licence: text(&package["license"]),
            ours: package["source"].is_null(),
            dependencies: dependencies
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        }
    }
}

fn wrong(package: &str, on: &str) -> Option<String> {
    let pure = PURE.iter().any(|name| package == format!("trackyard-{name}"));
    let reason = if pure && (OUTSIDE.contains(&on) || EDGE.contains(&on)) {
        "a pure crate knows nothing outside"
    } else if on == "livekit-protocol" && package != "trackyard-proto" {
        "only `proto` knows the official message types"
    } else if on == "str0m" && package != "trackyard-peer" {
        "only `peer` knows str0m"
    } else if package == "trackyard" && SERVER_SIDE.contains(&on) {
        "the SDK holds nothing of the server"
    } else if on == "trackyard-server" && !ABOVE_SERVER.contains(&package) {
        "nothing but the command and tests depends on the server"
    } else if on == "trackyard-sim" && package != "trackyard-rig" {
        "the simulation is for tests"
    } else {
        return None;
    };
    Some(format!("{package} depends on {on}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(package: &str, on: &str, kind: Option<&str>) -> usize {
        let dependency = serde_json::json!({ "name": on, "kind": kind });
        let package = serde_json::json!({ "name": package, "license": "MIT", "source": null, "dependencies": [dependency] });
        Metadata::parse(&serde_json::json!({ "packages": [package] })).unwrap().direction().len()
    }

    #[test]
    fn the_wrong_direction_is_found() {
        assert_eq!(findings("trackyard-lanes", "tokio", None), 1);
        assert_eq!(findings("trackyard-lanes", "tokio", Some("dev")), 0);
        assert_eq!(findings("trackyard-sfu", "trackyard-net", None), 1);
        assert_eq!(findings("trackyard-sfu", "trackyard-lanes", None), 0);
        assert_eq!(findings("trackyard-sfu", "livekit-protocol", None), 1);
        assert_eq!(findings("trackyard-net", "trackyard-server", None), 1);
        assert_eq!(findings("trackyard-cli", "trackyard-server", None), 0);
        assert_eq!(findings("trackyard-server", "trackyard-sim", None), 1);
        assert_eq!(findings("trackyard", "trackyard-sfu", None), 1);
        assert_eq!(findings("trackyard", "trackyard-session", None), 0);
        assert_eq!(findings("trackyard-session", "trackyard", None), 1);
    }
}
