//! A server to measure, as it is written in an argument.

use std::str::FromStr;

use crate::connection::url::without_credentials;

const FORM: &str = "a server is written as name=NAME,url=URL and pid=PID or, last, run=COMMAND";

/// A server to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerSpec {
    pub(super) name: String,
    pub(super) url: String,
    /// Of its process on this machine.
    pub(super) pid: Option<u32>,
    /// What starts it; empty if it runs already.
    pub(super) command: Vec<String>,
}

impl FromStr for ServerSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A command may have commas.
        let (facts, command) = match text.split_once("run=") {
            Some((facts, command)) if facts.is_empty() || facts.ends_with(',') => {
                (facts.trim_end_matches(','), Some(command))
            }
            _ => (text, None),
        };
        let (mut name, mut url, mut pid) = (None, None, None);
        for fact in facts.split(',').filter(|fact| !fact.is_empty()) {
            let (key, value) =
                fact.split_once('=').ok_or_else(|| format!("`{fact}` is no KEY=VALUE; {FORM}"))?;
            let place = match key.trim() {
                "name" => &mut name,
                "url" => &mut url,
                "pid" => &mut pid,
                other => return Err(format!("`{other}` is not known; {FORM}")),
            };
            if value.is_empty() || place.replace(value.to_owned()).is_some() {
                return Err(format!("{key}= is empty, or there twice; {FORM}"));
            }
        }
        if command.is_some_and(|command| command.trim().is_empty()) {
            return Err(format!("run= is empty; {FORM}"));
        }
        let url: String = url.ok_or_else(|| format!("url= is missing; {FORM}"))?;
        let command: Vec<String> =
            command.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        if pid.is_some() && !command.is_empty() {
            return Err(format!("pid= is of a server that runs, run= starts one: give one of them; {FORM}"));
        }
        let number = |pid: String| pid.trim().parse().map_err(|_| format!("pid={pid} is no process number"));
        Ok(Self {
            name: name.unwrap_or_else(|| without_credentials(&url)),
            url,
            pid: pid.map(number).transpose()?,
            command,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read() {
        let spec: ServerSpec = "name=a,url=ws://h:1,pid=12".parse().unwrap();
        assert_eq!((spec.name.as_str(), spec.url.as_str(), spec.pid), ("a", "ws://h:1", Some(12)));
        let spec: ServerSpec = "url=ws://me:hidden@h:1?token=hidden".parse().unwrap();
        assert_eq!(spec.name, "ws://h:1");
        let spec: ServerSpec = "url=ws://h:1,run=/bin/serve --body a=1,b=2".parse().unwrap();
        assert_eq!(spec.name, "ws://h:1");
        assert_eq!(spec.command, ["/bin/serve", "--body", "a=1,b=2"]);
    }

    #[test]
    fn what_makes_no_sense_says_how_it_is_written() {
        for (text, message) in [
            ("ws://h:1", "is no KEY=VALUE"),
            ("name=a", "url= is missing"),
            ("url=ws://h,url=ws://i", "there twice"),
            ("url=ws://h,pid=x", "no process number"),
            ("url=ws://h,pid=1,run=serve", "give one of them"),
            ("url=ws://h,run= ", "run= is empty"),
            ("url=ws://h,prun=serve", "`prun` is not known"),
        ] {
            let error = text.parse::<ServerSpec>().unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
