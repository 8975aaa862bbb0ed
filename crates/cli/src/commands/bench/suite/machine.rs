//! What everything ran on, and what was typed.

use std::fs;
use std::time::SystemTime;

use trackyard_bench::suite::Machine;

use crate::connection::url::without_credentials;

/// Arguments whose value nobody else is to read.
const SECRETS: [&str; 1] = ["--api-secret"];

/// The wall clock, as HTTP writes it.
pub(super) fn now() -> String {
    httpdate::fmt_http_date(SystemTime::now())
}

/// This machine, as far as it says what it is.
pub(super) fn machine() -> Machine {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let memory = after(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let memory_kib: u64 = memory.trim_end_matches("kB").trim().parse().unwrap_or_default();
    let or =
        |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    Machine {
        cores: cores(),
        cpu_model: or(after(&read("/proc/cpuinfo"), "model name")),
        kernel: format!(
            "{} {}",
            std::env::consts::OS,
            or(Some(read("/proc/sys/kernel/osrelease").trim().to_owned()))
        ),
        memory_mib: memory_kib / 1_024,
    }
}

/// Of the whole machine, whatever this process is kept to.
fn cores() -> usize {
    let listed = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let listed = listed.lines().filter(|line| line.starts_with("processor")).count();
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    listed.max(allowed)
}

/// What was typed, as a shell would read it, without the secret of the key and without credentials in URLs. A command
/// that starts a server is kept as it is.
pub(super) fn command_line(arguments: impl Iterator<Item = String>) -> String {
    let (mut words, mut is_secret) = (Vec::new(), false);
    for (number, argument) in arguments.enumerate() {
        let word = match argument.split_once('=') {
            _ if is_secret => "…".to_owned(),
            Some((name, _)) if SECRETS.contains(&name) => format!("{name}=…"),
            // Where the program lies says nothing.
            _ if number == 0 => "trackyard".to_owned(),
            _ => quoted(&without_credentials_of_server(&argument)),
        };
        is_secret = SECRETS.contains(&argument.as_str());
        words.push(word);
    }
    words.join(" ")
}

/// A server's URL is a fact of its own; what follows `run=` is a command.
fn without_credentials_of_server(argument: &str) -> String {
    let (facts, command) = argument.split_at(argument.find("run=").unwrap_or(argument.len()));
    let plain = |fact: &str| if fact.contains("://") { without_credentials(fact) } else { fact.to_owned() };
    facts.split(',').map(plain).collect::<Vec<_>>().join(",") + command
}

fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=,.:/@%+".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_keeps_its_secret() {
        for secret in [&["--api-secret", "s3cret"][..], &["--api-secret=s3cret"]] {
            let words = ["/usr/bin/trackyard", "bench", "suite", "--only", "a/*"].iter().chain(secret);
            let line = command_line(words.map(|word| (*word).to_owned()).chain(["--quick".to_owned()]));
            assert!(line.starts_with("trackyard bench suite --only 'a/*' --api-secret"), "{line}");
            assert!(line.ends_with("… --quick") && !line.contains("s3cret"), "{line}");
        }
    }

    #[test]
    fn a_command_line_keeps_credentials_of_urls() {
        let typed = "--server=name=a,url=wss://me:hidden@h:1/p?access_token=hidden,pid=7";
        let line = command_line(["trackyard", typed].map(str::to_owned).into_iter());
        assert_eq!(line, "trackyard --server=name=a,url=wss://h:1/p,pid=7");
        let typed = "url=ws://h:1,run=serve --body http://a/?b,c";
        let line = command_line(["trackyard", typed].map(str::to_owned).into_iter());
        assert_eq!(line, format!("trackyard '{typed}'"));
    }

    #[test]
    fn the_machine_says_something() {
        let machine = machine();
        assert!(machine.cores > 0 && !machine.kernel.is_empty() && !machine.cpu_model.is_empty());
    }
}
