//! Makes settings of a tree that has been checked; what was wrong in it is left at its default.

mod keys;
mod ports;
mod rules;
mod webhook;

use trackyard_lanes::LaneRules;

use super::diagnostic::Diagnostics;
use super::scalar;
use super::settings::{
    Config, DataTracks, Filter, Limits, LogLevel, Logging, Login, MetricSettings, PortRange, Prometheus,
    RoomSettings, Rtc, Shutdown, WebhookSettings,
};
use super::yaml::Node;

pub(super) use keys::read_key_file;

use ports::check_ports;

/// The settings of a tree.
pub(super) fn read(root: &Node, out: &mut Diagnostics) -> Config {
    let reader = Reader { root };
    let development = reader.flag("development", false);
    let mut config = Config {
        port: reader.word("port", scalar::port).unwrap_or(Config::default().port),
        bind_addresses: reader.list("bind_addresses", scalar::bind_address),
        api_keys: keys::read(root, development, out),
        rtc: reader.rtc(out),
        room: reader.room(),
        limit: reader.limits(out),
        prometheus: reader.prometheus(out),
        metrics: reader.metrics(),
        webhook: WebhookSettings::default(),
        logging: reader.logging(development),
        region: reader.text("region"),
        data_tracks: reader.data_tracks(out),
        data_blobs: reader.flag("enable_participant_data_blob", true),
        development,
        shutdown: reader.shutdown(),
        workers: reader.word("workers", small),
    };
    config.complete_for_development();
    config.webhook = webhook::read(&reader, &config.api_keys, out);
    check_ports(&reader, &config, out);
    // What is wrong may be the keys, or all that could not be read.
    if config.api_keys.is_empty() && out.errors.is_empty() {
        out.warn(
            &root.place,
            "there are no API keys, so nobody can join; set `keys`, `key_file` or LIVEKIT_KEYS",
        );
    }
    config
}

struct Reader<'a> {
    root: &'a Node,
}

impl Reader<'_> {
    /// The word at a path, if it is there and can be read.
    fn word<T>(&self, path: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.root.at(path).and_then(Node::text).and_then(read)
    }

    fn flag(&self, path: &str, default: bool) -> bool {
        self.word(path, scalar::boolean).unwrap_or(default)
    }

    fn text(&self, path: &str) -> String {
        self.word(path, |text| Some(text.to_owned())).unwrap_or_default()
    }

    fn list<T>(&self, path: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let items = self.root.at(path).map(Node::items).unwrap_or_default();
        items.iter().filter_map(Node::text).filter_map(read).collect()
    }

    fn filter<T>(&self, path: &str, read: impl Fn(&str) -> Option<T>) -> Filter<T> {
        let includes = self.list(&format!("{path}.includes"), &read);
        Filter { includes, excludes: self.list(&format!("{path}.excludes"), &read) }
    }

    fn rtc(&self, out: &mut Diagnostics) -> Rtc {
        let default = Rtc::default();
        let rtc = Rtc {
            udp_ports: self.udp_ports(out).unwrap_or(default.udp_ports),
            tcp_port: self
                .word("rtc.tcp_port", scalar::port)
                .map_or(default.tcp_port, |port| (port > 0).then_some(port)),
            node_ip: self.word("rtc.node_ip", scalar::node_ip).unwrap_or_default(),
            use_external_ip: self.flag("rtc.use_external_ip", false),
            advertise_internal_ip: self.flag("rtc.advertise_internal_ip", false),
            external_ip_only: self.flag("rtc.external_ip_only", false),
            enable_loopback_candidate: self.flag("rtc.enable_loopback_candidate", false),
            stun_servers: self.list("rtc.stun_servers", scalar::stun_server),
            interfaces: self.filter("rtc.interfaces", |name| Some(name.to_owned())),
            ips: self.filter("rtc.ips", |block| block.parse().ok()),
            bind_addresses: default.bind_addresses,
        };
        self.explain_external_ip(&rtc, out);
        rtc
    }

    /// What official configurations say about ports: a range wins over `udp_port`.
    fn udp_ports(&self, out: &mut Diagnostics) -> Option<PortRange> {
        let first = self.word("rtc.port_range_start", scalar::port).filter(|port| *port > 0);
        let last = self.word("rtc.port_range_end", scalar::port).filter(|port| *port > 0);
        let udp_port = self.root.at("rtc.udp_port");
        let (first, last) = match (first, last) {
            (None, None) => return self.word("rtc.udp_port", scalar::port_range),
            (Some(first), Some(last)) => (first, last),
            _ => {
                self.complain(
                    "rtc.port_range",
                    "`rtc.port_range_start` and `rtc.port_range_end` need each other",
                    out,
                );
                return None;
            }
        };
        if let Some(udp_port) = udp_port.filter(|node| node.text().is_some()) {
            out.warn(&udp_port.place, "`rtc.udp_port` has no effect: `rtc.port_range_start` is set");
        }
        if last < first {
            self.complain("rtc.port_range", &format!("`rtc.port_range_end` is {last}; it takes at least `rtc.port_range_start`, which is {first}"), out);
            return None;
        }
        Some(PortRange { first, last })
    }

    /// An error at the last of the keys that begin with `prefix`.
    fn complain(&self, prefix: &str, text: &str, out: &mut Diagnostics) {
        let ends = ["_end", "_start"].map(|end| self.root.at(&format!("{prefix}{end}")));
        let node = ends.into_iter().flatten().next().unwrap_or(self.root);
        out.error(&node.place, text);
    }

    fn explain_external_ip(&self, rtc: &Rtc, out: &mut Diagnostics) {
        let asked = self.root.at("rtc.use_external_ip").filter(|_| rtc.use_external_ip);
        if let Some(node) = asked {
            let servers = super::external_ip::servers(&rtc.stun_servers).join(", ");
            let text = format!(
                "`rtc.use_external_ip` asks {servers} for the public address at every start; if it is known, set `rtc.node_ip` instead"
            );
            out.warn(&node.place, text);
        }
        for (path, needs) in
            [("rtc.node_ip", false), ("rtc.advertise_internal_ip", true), ("rtc.external_ip_only", true)]
        {
            let set = self.root.at(path).filter(|node| node.text().is_some() || !node.items().is_empty());
            if let Some(node) = set.filter(|_| needs != rtc.use_external_ip) {
                let state = if needs { "not set" } else { "set" };
                out.warn(&node.place, format!("`{path}` has no effect: `rtc.use_external_ip` is {state}"));
            }
        }
    }

    fn room(&self) -> RoomSettings {
        let default = RoomSettings::default();
        RoomSettings {
            auto_create: self.flag("room.auto_create", default.auto_create),
            empty_timeout: self.word("room.empty_timeout", scalar::seconds).unwrap_or(default.empty_timeout),
            departure_timeout: self
                .word("room.departure_timeout", scalar::seconds)
                .unwrap_or(default.departure_timeout),
            max_participants: self.word("room.max_participants", small).unwrap_or(default.max_participants),
        }
    }

    fn limits(&self, out: &mut Diagnostics) -> Limits {
        let default = Limits::default();
        let max_input_wait = self.word("limit.max_input_wait", scalar::duration);
        let age_max = LaneRules::default().age_max;
        if let Some(node) = self.root.at("limit.max_input_wait")
            && max_input_wait.is_some_and(|wait| wait > age_max)
        {
            let text = format!(
                "`limit.max_input_wait` is more than the {age_max:?} that frames wait by default: they expire first"
            );
            out.warn(&node.place, text);
        }
        let limit =
            |name: &str, default: usize| self.word(&format!("limit.{name}"), small).unwrap_or(default);
        // Where these keys stood before; they win if they are not 0, as in LiveKit's server.
        let moved = |name: &str, default: usize| {
            let old = self.word(&format!("room.{name}"), small).filter(|value| *value != 0);
            old.unwrap_or_else(|| limit(name, default))
        };
        Limits {
            max_metadata_size: moved("max_metadata_size", default.max_metadata_size),
            max_attributes_size: limit("max_attributes_size", default.max_attributes_size),
            max_room_name_length: moved("max_room_name_length", default.max_room_name_length),
            max_participant_identity_length: moved(
                "max_participant_identity_length",
                default.max_participant_identity_length,
            ),
            max_participant_name_length: limit(
                "max_participant_name_length",
                default.max_participant_name_length,
            ),
            max_data_track_custom_encoding_length: limit(
                "max_data_track_custom_encoding_length",
                default.max_data_track_custom_encoding_length,
            ),
            max_data_blob_key_length: limit("max_data_blob_key_length", default.max_data_blob_key_length),
            max_data_blobs_size: limit("max_data_blobs_size", default.max_data_blobs_size),
            signal_message_size_limit: limit("signal_message_size_limit", default.signal_message_size_limit),
            max_worker_load: self
                .word("limit.max_worker_load", scalar::number)
                .unwrap_or(default.max_worker_load),
            max_input_wait: max_input_wait.unwrap_or(default.max_input_wait),
        }
    }

    fn prometheus(&self, out: &mut Diagnostics) -> Option<Prometheus> {
        let port_at = |path| self.word(path, scalar::port).filter(|port| *port > 0);
        let login =
            Login { username: self.text("prometheus.username"), password: self.text("prometheus.password") };
        if let Some(node) = self.root.at("prometheus")
            && login.username.is_empty() != login.password.is_empty()
        {
            out.warn(&node.place, "`prometheus.username` and `prometheus.password` need each other; everybody may read the metrics");
        }
        let login = Some(login).filter(|login| !login.username.is_empty() && !login.password.is_empty());
        let port = port_at("prometheus.port").or_else(|| port_at("prometheus_port"));
        if let Some(node) = self.root.at("prometheus").filter(|_| login.is_some() && port.is_none()) {
            out.warn(&node.place, "`prometheus.username` has no effect: `prometheus.port` is not set");
        }
        port.map(|port| Prometheus { port, login })
    }

    fn metrics(&self) -> MetricSettings {
        let default = MetricSettings::default();
        MetricSettings {
            rooms: self.flag("metrics.rooms", default.rooms),
            tracks: self.flag("metrics.tracks", default.tracks),
        }
    }

    fn logging(&self, development: bool) -> Logging {
        let configured = self
            .word("log_level", scalar::log_level)
            .or_else(|| self.word("logging.level", scalar::log_level));
        let default = if development { LogLevel::Debug } else { LogLevel::Info };
        Logging { level: configured.unwrap_or(default), json: self.flag("logging.json", false) }
    }

    fn data_tracks(&self, out: &mut Diagnostics) -> DataTracks {
        DataTracks { enabled: self.flag("enable_data_tracks", true), rules: rules::read(self.root, out) }
    }

    fn shutdown(&self) -> Shutdown {
        let default = Shutdown::default();
        Shutdown {
            action: self.word("shutdown.action", scalar::shutdown_action).unwrap_or_default(),
            deadline: self.word("shutdown.deadline", scalar::duration).unwrap_or(default.deadline),
        }
    }
}

/// A whole number that fits.
fn small<N: TryFrom<i64>>(word: &str) -> Option<N> {
    scalar::integer(word).and_then(|value| N::try_from(value).ok())
}
