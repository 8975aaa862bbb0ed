//! Ports that cannot all be had.

use super::super::diagnostic::Diagnostics;
use super::super::settings::Config;
use super::super::yaml::Node;
use super::Reader;

/// Reports TCP ports that are given out twice, and more workers than there are ports for.
pub(super) fn check_ports(reader: &Reader<'_>, config: &Config, out: &mut Diagnostics) {
    let metrics = ["prometheus.port", "prometheus_port"];
    let metrics = metrics.into_iter().find(|path| reader.root.at(path).is_some()).unwrap_or(metrics[0]);
    let ports = [
        ("port", Some(config.port)),
        (metrics, config.prometheus.as_ref().map(|prometheus| prometheus.port)),
        ("rtc.tcp_port", config.rtc.tcp_port),
    ];
    for (index, (path, port)) in ports.iter().enumerate() {
        let Some(port) = port.filter(|port| *port > 0) else { continue };
        for (other, _) in ports[..index].iter().filter(|(_, other)| *other == Some(port)) {
            let node = reader.root.at(path).or_else(|| reader.root.at(other)).unwrap_or(reader.root);
            out.error(
                &node.place,
                format!("`{other}` and `{path}` are both {port}; each takes a port of its own"),
            );
        }
    }
    check_workers(reader, config, out);
}

fn check_workers(reader: &Reader<'_>, config: &Config, out: &mut Diagnostics) {
    let Some((workers, range)) = config.workers.zip(config.rtc.udp_ports.range()) else { return };
    if usize::from(workers) > range.len() {
        let place = reader.root.at("workers").map_or(&reader.root.place, |node: &Node| &node.place);
        let text = format!(
            "`workers` is {workers}; it takes at most {}, as each has a port of the range {}-{}",
            range.len(),
            range.start(),
            range.end()
        );
        out.error(place, text);
    }
}
