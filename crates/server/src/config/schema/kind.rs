//! What a word must be to be taken, and how that is said.

use trackyard_auth::NamePattern;
use trackyard_http::Url;

use super::super::cidr::Cidr;
use super::super::scalar;
use super::Kind;

impl Kind {
    /// Whether this word is taken. Sections, lists and tables take no word.
    pub(in super::super) fn takes(self, word: &str) -> bool {
        match self {
            Self::Section(_) | Self::Table(_) | Self::List(_) => false,
            Self::Text | Self::Anything => true,
            Self::Secret => !word.is_empty(),
            Self::Bool => scalar::boolean(word).is_some(),
            Self::Integer(min, max) => {
                scalar::integer(word).is_some_and(|value| (min..=max).contains(&value))
            }
            Self::Number(min, max) => scalar::number(word).is_some_and(|value| (min..=max).contains(&value)),
            Self::Duration => scalar::duration(word).is_some(),
            Self::Positive => scalar::duration(word).is_some_and(|duration| !duration.is_zero()),
            Self::Seconds => scalar::seconds(word).is_some(),
            Self::LooseDuration => scalar::integer(word).is_some() || scalar::duration(word).is_some(),
            Self::Port => scalar::port(word).is_some(),
            Self::PortRange => word.is_empty() || scalar::port_range(word).is_some(),
            Self::BindAddress => scalar::bind_address(word).is_some(),
            Self::NodeIp => word.is_empty() || scalar::node_ip(word).is_some(),
            Self::Cidr => word.parse::<Cidr>().is_ok(),
            Self::StunServer => scalar::stun_server(word).is_some(),
            Self::HttpUrl => word.parse::<Url>().is_ok(),
            Self::LogLevel => word.is_empty() || scalar::log_level(word).is_some(),
            Self::ShutdownAction => scalar::shutdown_action(word).is_some(),
            Self::Policy => matches!(word, "auto" | "latest" | "queue"),
            Self::Pattern => NamePattern::new(word).is_ok(),
        }
    }

    /// What is taken, with an example.
    pub(in super::super) fn expected(self) -> String {
        match self {
            Self::Section(keys) => match keys.first() {
                Some(key) => format!("keys of its own, such as `{}`", key.name),
                None => "no keys".to_owned(),
            },
            Self::Table(_) => "names with values, such as `name: value`".to_owned(),
            Self::List(kind) => format!("a list, of which each item is {}", kind.expected()),
            Self::Integer(min, max) => {
                bounds("a whole number", (min > i64::MIN).then_some(min), (max < i64::MAX).then_some(max))
            }
            Self::Number(min, max) => {
                bounds("a number", (min > f64::MIN).then_some(min), (max < f64::MAX).then_some(max))
            }
            _ => self.expected_word().to_owned(),
        }
    }

    fn expected_word(self) -> &'static str {
        match self {
            Self::Section(_) | Self::Table(_) | Self::List(_) | Self::Anything => "anything",
            Self::Integer(..) | Self::Number(..) => "a number",
            Self::Bool => "`true` or `false`",
            Self::Text => "a word, or a text in quotes",
            Self::Secret => "a text in quotes that is not empty",
            Self::LooseDuration => "a duration, such as `100ms`, `5s` or `1h30m`",
            Self::Duration => "a duration, such as `30ms`, or `0`",
            Self::Positive => "a duration of more than nothing, such as `100ms` or `2s`",
            Self::Seconds => "a number of seconds, such as `300`, or a duration, such as `5m`",
            Self::Port => "a port from 0 to 65535, such as `7880`",
            Self::PortRange => "a port, such as `7882`, or a range of ports, such as `7882-7892`",
            Self::BindAddress => "an IP address, such as `127.0.0.1` or `::`",
            Self::NodeIp => {
                "an IP address, such as `203.0.113.7`, or one of each family, such as `203.0.113.7,2001:db8::7`"
            }
            Self::Cidr => "a block of addresses, such as `10.0.0.0/8`",
            Self::StunServer => "a server with its port, such as `stun.example.org:3478`",
            Self::HttpUrl => "an address without a name or password, such as `https://example.org/webhook`",
            Self::LogLevel => "`error`, `warn`, `info`, `debug` or `trace`",
            Self::ShutdownAction => "`disconnect` or `reconnect`",
            Self::Policy => "`auto`, `latest` or `queue`",
            Self::Pattern => "a pattern of names in quotes, such as `\"cam/**\"`",
        }
    }
}

fn bounds<N: std::fmt::Display>(what: &str, min: Option<N>, max: Option<N>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{what} from {min} to {max}"),
        (Some(min), None) => format!("{what} of at least {min}"),
        (None, Some(max)) => format!("{what} of at most {max}"),
        (None, None) => what.to_owned(),
    }
}
