//! API keys: from `keys`, or from a file that only its owner may read.

use std::path::Path;

use trackyard_auth::Keys;

use super::super::diagnostic::{Diagnostics, Place};
use super::super::source;
use super::super::yaml::{self, Entry, Node, Value};

/// Shorter secrets can be guessed.
const SECRET_CHARS_MIN: usize = 32;

/// The keys of a tree.
pub(super) fn read(root: &Node, development: bool, out: &mut Diagnostics) -> Keys {
    let entries = root.get("keys").map(Node::entries).unwrap_or_default();
    let pairs: Vec<(&Entry, &str)> =
        entries.iter().filter_map(|entry| entry.node.text().map(|secret| (entry, secret))).collect();
    for (entry, secret) in pairs.iter().filter(|_| !development) {
        let chars = secret.chars().count();
        // That it is empty is said already.
        if (1..SECRET_CHARS_MIN).contains(&chars) {
            let (name, s) = (&entry.key, if chars == 1 { "" } else { "s" });
            out.warn(&entry.place, format!("the secret of `{name}` has {chars} character{s} and may be guessed; use {SECRET_CHARS_MIN} or more"));
        }
    }
    // What keeps a key from being taken (an empty one, a repeated one) has been reported with the tree.
    Keys::new(pairs.into_iter().map(|(entry, secret)| (entry.key.as_str(), secret))).unwrap_or_default()
}

/// The `keys` of a file of their own.
pub(in super::super) fn read_key_file(path: &str, place: &Place, out: &mut Diagnostics) -> Option<Node> {
    let refuse = |out: &mut Diagnostics, text: String| {
        out.error(place, format!("`key_file` {path} {text}"));
        None
    };
    match others_may_read(Path::new(path)) {
        Err(error) => return refuse(out, format!("cannot be read: {error}")),
        Ok(true) => return refuse(out, format!("may be read by everybody; `chmod o= {path}`")),
        Ok(false) => {}
    }
    let text = match source::read_file(Path::new(path)) {
        Ok(text) => text,
        Err(error) => return refuse(out, error),
    };
    match yaml::parse(&text, &Place::of(path)) {
        Ok(node) if matches!(node.value, Value::Map(_) | Value::Null) => Some(node),
        Ok(_) => refuse(out, "holds no lines of the form `key: secret`".to_owned()),
        Err(error) => {
            out.error(&error.place, error.text);
            None
        }
    }
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn others_may_read(path: &Path) -> std::io::Result<bool> {
    std::fs::metadata(path).map(|_| false)
}
