//! Holds a tree against the schema: unknown keys, wrong values, keys without effect.

use std::collections::HashMap;

use super::diagnostic::{Diagnostics, Place};
use super::schema::{Key, Kind, TOP, join};
use super::suggest::suggest;
use super::yaml::{Entry, Node, Value};

/// Longest value that is repeated in a message.
const SHOWN_MAX: usize = 48;
/// Unknown keys for which a known one is looked for, which takes longer than all else; nobody mistypes more.
const SUGGESTIONS_MAX: usize = 100;

/// Reports everything in the tree that is not as the schema says.
pub(super) fn check(root: &Node, out: &mut Diagnostics) {
    Checker { out, suggestions: SUGGESTIONS_MAX }.section(root, &Spot { path: "", idle: None }, TOP);
}

struct Checker<'a> {
    out: &'a mut Diagnostics,
    /// How many more unknown keys are compared with those that are known.
    suggestions: usize,
}

/// Where in the schema a value stands.
struct Spot<'a> {
    path: &'a str,
    idle: Option<&'static str>,
}

impl Checker<'_> {
    fn section(&mut self, node: &Node, spot: &Spot<'_>, keys: &'static [Key]) {
        if !self.is_map(node, spot, Kind::Section(keys)) {
            return;
        }
        self.report_duplicates(node, spot, shown);
        for entry in node.entries() {
            let Some(key) = keys.iter().find(|key| key.name == entry.key) else {
                self.unknown(entry, spot, keys);
                continue;
            };
            let path = join(spot.path, key.name);
            self.value(&entry.node, &Spot { path: &path, idle: spot.idle.or(key.idle) }, key.kind);
        }
    }

    fn table(&mut self, node: &Node, spot: &Spot<'_>, kind: &'static Kind) {
        if !self.is_map(node, spot, Kind::Table(kind)) {
            return;
        }
        let is_secret = matches!(kind, Kind::Secret);
        let name = if is_secret { shown_without_secret } else { shown };
        self.report_duplicates(node, spot, name);
        for entry in node.entries() {
            if is_secret && entry.key.is_empty() {
                self.out.error(&entry.place, format!("`{}` has an entry without a name", spot.path));
            }
            let path = join(spot.path, &name(&entry.key));
            if is_secret && matches!(entry.node.value, Value::Null) {
                self.wrong(&entry.node, &path, *kind);
            }
            self.value(&entry.node, &Spot { path: &path, idle: None }, *kind);
        }
    }

    fn value(&mut self, node: &Node, spot: &Spot<'_>, kind: Kind) {
        if matches!(node.value, Value::Null) {
            return;
        }
        match kind {
            Kind::Section(keys) => return self.section(node, spot, keys),
            Kind::Table(kind) => self.table(node, spot, kind),
            Kind::List(kind) => self.list(node, spot, kind),
            Kind::Anything => {}
            _ if node.text().is_some_and(|word| kind.takes(word)) => {}
            _ => return self.wrong(node, spot.path, kind),
        }
        self.report_idle(&node.place, spot);
    }

    fn list(&mut self, node: &Node, spot: &Spot<'_>, kind: &'static Kind) {
        let Value::List(items) = &node.value else {
            return self.wrong(node, spot.path, Kind::List(kind));
        };
        for item in items {
            self.value(item, &Spot { path: spot.path, idle: None }, *kind);
        }
    }

    fn is_map(&mut self, node: &Node, spot: &Spot<'_>, kind: Kind) -> bool {
        match node.value {
            Value::Map(_) => true,
            Value::Null => false,
            Value::Text(_) | Value::List(_) => {
                self.wrong(node, spot.path, kind);
                false
            }
        }
    }

    fn report_idle(&mut self, place: &Place, spot: &Spot<'_>) {
        if let Some(reason) = spot.idle {
            self.out.warn(place, format!("`{}` has no effect: {reason}", spot.path));
        }
    }

    fn report_duplicates(&mut self, node: &Node, spot: &Spot<'_>, name: fn(&str) -> String) {
        let mut seen: HashMap<&str, &Place> = HashMap::new();
        for entry in node.entries() {
            if let Some(first) = seen.insert(&entry.key, &entry.place) {
                let path = join(spot.path, &name(&entry.key));
                self.out.error(&entry.place, format!("`{path}` is set twice; it was set at {first}"));
            }
        }
    }

    fn unknown(&mut self, entry: &Entry, spot: &Spot<'_>, keys: &[Key]) {
        let path = join(spot.path, &shown(&entry.key));
        let known = self.suggestion(entry, spot, keys);
        let hint = known.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
        self.out.error(&entry.place, format!("unknown key `{path}`{hint}"));
    }

    fn suggestion(&mut self, entry: &Entry, spot: &Spot<'_>, keys: &[Key]) -> Option<String> {
        self.suggestions = self.suggestions.checked_sub(1)?;
        suggest(&entry.key, spot.path, keys)
    }

    fn wrong(&mut self, node: &Node, path: &str, kind: Kind) {
        let what = match &node.value {
            Value::Null => "empty".to_owned(),
            Value::Text(_) if matches!(kind, Kind::Secret) => "empty".to_owned(),
            Value::Text(_) if matches!(kind, Kind::Table(Kind::Secret)) => "a text".to_owned(),
            Value::Text(word) => format!("`{}`", shown(word)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a section".to_owned(),
        };
        let subject = if path.is_empty() { "the configuration".to_owned() } else { format!("`{path}`") };
        self.out.error(&node.place, format!("{subject} is {what}; it takes {}", kind.expected()));
    }
}

/// A name, of which what follows a colon may be a secret: YAML wants a space between the two.
fn shown_without_secret(word: &str) -> String {
    shown(word.split(':').next().unwrap_or_default())
}

/// A word of the file as it may be printed: short, and without control characters.
fn shown(word: &str) -> String {
    let mut shown = String::new();
    for letter in word.chars().take(SHOWN_MAX) {
        if letter.is_control() { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    if word.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    shown
}
