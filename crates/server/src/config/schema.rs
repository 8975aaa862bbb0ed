//! Every key there is: what it takes, and why it has no effect if it has none.

mod kind;
mod media;
mod top;

pub(super) use top::TOP;

/// A key of a section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Why it and what is below it have no effect.
    pub(super) idle: Option<&'static str>,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Keys of their own.
    Section(&'static [Key]),
    /// Any names, each with a value of one kind.
    Table(&'static Self),
    /// Values of one kind.
    List(&'static Self),
    Bool,
    /// Within these bounds.
    Integer(i64, i64),
    /// Within these bounds.
    Number(f64, f64),
    Text,
    /// Never shown.
    Secret,
    /// With units; a bare 0 has none.
    Duration,
    /// With units and more than nothing.
    Positive,
    /// Bare seconds, or with units.
    Seconds,
    /// With units, or bare nanoseconds as LiveKit's server takes them.
    LooseDuration,
    Port,
    PortRange,
    BindAddress,
    NodeIp,
    Cidr,
    StunServer,
    HttpUrl,
    LogLevel,
    ShutdownAction,
    Policy,
    Pattern,
    /// Whatever there is.
    Anything,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, idle: None }
}

const fn idle(name: &'static str, kind: Kind, reason: &'static str) -> Key {
    Key { name, kind, idle: Some(reason) }
}

const fn boolean(name: &'static str) -> Key {
    key(name, Kind::Bool)
}

const fn text(name: &'static str) -> Key {
    key(name, Kind::Text)
}

const fn secret(name: &'static str) -> Key {
    key(name, Kind::Secret)
}

const fn texts(name: &'static str) -> Key {
    key(name, Kind::List(&Kind::Text))
}

const fn integer(name: &'static str) -> Key {
    key(name, Kind::Integer(i64::MIN, i64::MAX))
}

/// A number of bytes or things; LiveKit's server takes -1 for no limit in some of them.
const fn amount(name: &'static str) -> Key {
    key(name, Kind::Integer(0, u32::MAX as i64))
}

const fn number(name: &'static str) -> Key {
    key(name, Kind::Number(f64::MIN, f64::MAX))
}

const fn duration(name: &'static str) -> Key {
    key(name, Kind::LooseDuration)
}

const fn section(name: &'static str, keys: &'static [Key]) -> Key {
    key(name, Kind::Section(keys))
}

/// Calls `visit` with the path and kind of every key that takes a single word, and why it has no effect.
pub(super) fn each_word(visit: &mut dyn FnMut(&str, Kind)) {
    words_below("", TOP, visit);
}

fn words_below(prefix: &str, keys: &[Key], visit: &mut dyn FnMut(&str, Kind)) {
    for key in keys {
        let path = join(prefix, key.name);
        match key.kind {
            Kind::Section(keys) => words_below(&path, keys, visit),
            Kind::Table(_) | Kind::List(_) | Kind::Anything => {}
            kind => visit(&path, kind),
        }
    }
}

/// A key below a prefix.
pub(super) fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}
