//! Where a configuration comes from, and what overrides what.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::diagnostic::{ConfigErrors, Diagnostics, Place};
use super::yaml::{self, Node, Value};
use super::{Loaded, check, read, schema};

/// Largest configuration, in bytes.
pub const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// Environment variables of LiveKit's server that are not named after their key.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("NODE_IP", "rtc.node_ip"),
    ("UDP_PORT", "rtc.udp_port"),
    ("REDIS_HOST", "redis.address"),
    ("REDIS_PASSWORD", "redis.password"),
    ("LIVEKIT_TURN_CERT", "turn.cert_file"),
    ("LIVEKIT_TURN_KEY", "turn.key_file"),
];

/// Keys that LiveKit's server does not have.
const OURS: &[&str] = &[
    "workers",
    "limit.max_worker_load",
    "limit.max_input_wait",
    "shutdown.",
    "data_tracks.",
    "metrics.",
    "webhook.data_tracks",
];

/// Everything a configuration is made of; what comes later wins: the body (which takes the place of
/// the file), the environment, the flags.
pub struct Sources<'a> {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--config-body`; without it, the environment variable `LIVEKIT_CONFIG`.
    pub body: Option<String>,
    /// How environment variables are looked up.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// All other flags.
    pub overrides: Overrides,
}

/// What flags set, in their order.
#[derive(Debug, Clone, Default)]
pub struct Overrides(Vec<Override>);

#[derive(Debug, Clone)]
struct Override {
    source: String,
    path: String,
    value: Given,
}

#[derive(Debug, Clone)]
enum Given {
    Word(String),
    Words(Vec<String>),
    Yaml(String),
}

impl Overrides {
    /// `flag` sets the key at `path`.
    pub fn set(&mut self, flag: &str, path: &str, word: impl Into<String>) {
        self.push(flag, path, Given::Word(word.into()));
    }

    /// `flag` sets the list at `path`.
    pub fn set_list(&mut self, flag: &str, path: &str, words: Vec<String>) {
        self.push(flag, path, Given::Words(words));
    }

    /// `flag` sets what is at `path` to a value in YAML.
    pub fn set_yaml(&mut self, flag: &str, path: &str, yaml: impl Into<String>) {
        self.push(flag, path, Given::Yaml(yaml.into()));
    }

    fn push(&mut self, flag: &str, path: &str, value: Given) {
        self.0.push(Override { source: flag.to_owned(), path: path.to_owned(), value });
    }
}

/// Reads a configuration and checks all of it.
///
/// # Errors
/// [`ConfigErrors`] with everything that is wrong.
pub fn load(sources: Sources<'_>) -> Result<Loaded, ConfigErrors> {
    let mut out = Diagnostics::default();
    let env = non_empty(sources.env);
    let mut root = base(&sources, &env, &mut out);
    for given in environment(&env).into_iter().chain(sources.overrides.0) {
        apply(&mut root, given, &mut out);
    }
    resolve_key_file(&mut root, &env, &mut out);
    check::check(&root, &mut out);
    let config = read::read(&root, &mut out);
    out.finish().map(|warnings| Loaded { config, warnings })
}

/// An empty variable counts as none, as it stands in templates of containers.
fn non_empty<'a>(env: &'a dyn Fn(&str) -> Option<String>) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| env(name).filter(|value| !value.is_empty())
}

/// The file, or the body in its place.
fn base(sources: &Sources<'_>, env: &impl Fn(&str) -> Option<String>, out: &mut Diagnostics) -> Node {
    let given = sources.body.clone().filter(|body| !body.is_empty()).map(|body| ("--config-body", body));
    let body = given.or_else(|| env("LIVEKIT_CONFIG").map(|body| ("LIVEKIT_CONFIG", body)));
    let file = sources.file.as_deref().map(|path| (Place::of(&path.display().to_string()), path));
    match (body, file) {
        (Some((name, body)), file) => {
            if let Some((place, _)) = file {
                out.warn(&place, format!("this file is not read: {name} takes its place"));
            }
            parsed(&body, &Place::of(name), out)
        }
        (None, Some((place, path))) => match read_file(path) {
            Ok(text) => parsed(&text, &place, out),
            Err(error) => {
                out.error(&place, error);
                empty(&place)
            }
        },
        (None, None) => empty(&Place::of("trackyard")),
    }
}

fn parsed(text: &str, place: &Place, out: &mut Diagnostics) -> Node {
    if text.len() as u64 > CONFIG_BYTES_MAX {
        out.error(place, too_large());
        return empty(place);
    }
    yaml::parse(text, place).unwrap_or_else(|error| {
        out.error(&error.place, error.text);
        empty(place)
    })
}

fn empty(place: &Place) -> Node {
    Node { place: place.clone(), value: Value::Null }
}

/// What the environment sets: every key that takes one word has a variable named after it.
fn environment(env: &impl Fn(&str) -> Option<String>) -> Vec<Override> {
    let mut found = Vec::new();
    let mut look = |name: &str, path: &str, wrap: &dyn Fn(String) -> Given| {
        if let Some(value) = env(name) {
            found.push(Override { source: name.to_owned(), path: path.to_owned(), value: wrap(value) });
        }
    };
    schema::each_word(&mut |path, _| look(&variable(path), path, &Given::Word));
    for (name, path) in SHORT_NAMES {
        look(name, path, &Given::Word);
    }
    look("LIVEKIT_KEYS", "keys", &Given::Yaml);
    found
}

/// The environment variable of a key.
fn variable(path: &str) -> String {
    let ours = OURS.iter().any(|prefix| path.starts_with(prefix));
    let prefix = if ours { "TRACKYARD_" } else { "LIVEKIT_" };
    format!("{prefix}{}", path.replace('.', "_").to_uppercase())
}

fn apply(root: &mut Node, given: Override, out: &mut Diagnostics) {
    let place = Place::of(&given.source);
    let word = |word| Node { place: place.clone(), value: Value::Text(word) };
    let node = match given.value {
        Given::Word(text) => word(text),
        Given::Words(words) => {
            Node { place: place.clone(), value: Value::List(words.into_iter().map(word).collect()) }
        }
        Given::Yaml(text) => parsed(&text, &place, out),
    };
    // What is said later also wins over another way to say it earlier.
    match given.path.as_str() {
        "rtc.udp_port" => {
            ["rtc.port_range_start", "rtc.port_range_end"].into_iter().for_each(|path| root.remove(path))
        }
        "keys" => root.remove("key_file"),
        "logging.level" => root.remove("log_level"),
        _ => {}
    }
    root.set(&given.path, node);
}

/// A key file takes the place of `keys`, as in LiveKit's server.
fn resolve_key_file(root: &mut Node, env: &impl Fn(&str) -> Option<String>, out: &mut Diagnostics) {
    let Some(file) = root.get("key_file").filter(|node| node.text().is_some_and(|path| !path.is_empty()))
    else {
        return;
    };
    let place = file.place.clone();
    let path = expanded(file.text().unwrap_or_default(), env);
    if root.get("keys").is_some_and(|keys| !keys.entries().is_empty()) {
        out.warn(&place, "`keys` has no effect: `key_file` takes its place");
    }
    if let Some(keys) = read::read_key_file(&path, &place, out) {
        root.set("keys", keys);
    }
}

/// A path with `~/` and `$NAME` or `${NAME}` replaced; unknown names by nothing.
fn expanded(path: &str, env: &impl Fn(&str) -> Option<String>) -> String {
    let home = path.strip_prefix("~/").map(|rest| format!("$HOME/{rest}"));
    let path = home.as_deref().unwrap_or(path);
    let mut parts = path.split('$');
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = match part.strip_prefix('{').and_then(|part| part.split_once('}')) {
            Some(split) => split,
            None => part
                .split_at(part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len())),
        };
        expanded.push_str(&env(name).unwrap_or_default());
        expanded.push_str(rest);
    }
    expanded
}

/// The text of a file of bounded size.
pub(super) fn read_file(path: &Path) -> Result<String, String> {
    if !is_stream(path) && std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err("is not a regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    file.take(CONFIG_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|_| "is not text in UTF-8".to_owned())
}

/// What a shell has opened, of which somebody holds the other end. Other pipes may never be written to.
fn is_stream(path: &Path) -> bool {
    path == Path::new("/dev/stdin") || ["/dev/fd", "/proc/self/fd"].iter().any(|dir| path.starts_with(dir))
}

fn too_large() -> String {
    format!("larger than {CONFIG_BYTES_MAX} bytes")
}
