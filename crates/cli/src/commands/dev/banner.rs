//! What a development server says when it is ready.

use std::fmt::Write;
use std::net::IpAddr;

use trackyard_server::Endpoints;

const WIDTH: usize = 78;

/// What a development server says when it is ready.
#[derive(Debug)]
pub(super) struct Banner {
    pub(super) room: String,
    pub(super) token: String,
    /// The API key, and its secret if it may be shown.
    pub(super) key: (String, Option<String>),
    pub(super) lan: Option<IpAddr>,
}

impl Banner {
    /// The whole text.
    pub(super) fn text(&self, endpoints: &Endpoints) -> String {
        let port = endpoints.http.first().map_or(0, std::net::SocketAddr::port);
        let mut text = framed(&self.lines(port));
        // Outside of the frame, so that they can be copied whole.
        let (room, token) = (&self.room, &self.token);
        let signer = if self.key.1.is_some() { "--dev" } else { "--api-key KEY --api-secret SECRET" };
        let _ = write!(
            text,
            "\nA token for room `{room}`, valid for 24 hours:\n\n{token}\n\n\
             More tokens:\n\n  trackyard token create {signer} --room {room} --identity robot-1\n  \
             trackyard token create {signer} --room {room} --identity viewer --can-publish-data=false\n\n\
             Ctrl-C stops the server.\n\n",
        );
        text
    }

    fn lines(&self, port: u16) -> Vec<String> {
        let mut lines = vec![
            "Trackyard is ready.".to_owned(),
            String::new(),
            format!("Demo     http://localhost:{port}/demo/   (open it in two tabs)"),
        ];
        if let Some(ip) = self.lan {
            lines.push(format!("LAN      http://{ip}:{port}/demo/"));
            lines.push("         (browsers give the camera only to localhost or https)".to_owned());
        }
        lines.push(format!("URL      ws://localhost:{port}"));
        lines.extend(self.lan.map(|ip| format!("         ws://{ip}:{port}")));
        lines.push(format!("Key      {}", self.key.0));
        let secret = self.key.1.as_deref().unwrap_or("(as configured)");
        lines.push(format!("Secret   {secret}"));
        lines
    }
}

fn framed(lines: &[String]) -> String {
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0).max(WIDTH - 4);
    let edge = "─".repeat(width + 2);
    let mut text = format!("\n┌{edge}┐\n");
    for line in lines {
        let _ = writeln!(text, "│ {line:width$} │");
    }
    let _ = writeln!(text, "└{edge}┘");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner(lan: Option<IpAddr>) -> String {
        let key = ("devkey".to_owned(), Some("secret".to_owned()));
        let banner = Banner { room: "demo".to_owned(), token: "aaa.bbb.ccc".to_owned(), key, lan };
        let http = vec!["127.0.0.1:7880".parse().unwrap()];
        banner.text(&Endpoints { http, metrics: Vec::new(), udp: Vec::new(), tcp: Vec::new() })
    }

    #[test]
    fn everything_needed_to_connect_is_there() {
        let text = banner(None);
        for part in
            ["http://localhost:7880/demo/", "ws://localhost:7880", "devkey", "secret", "\naaa.bbb.ccc\n"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("LAN"), "{text}");
    }

    #[test]
    fn other_machines_get_an_address_of_the_network() {
        let text = banner(Some([192, 168, 1, 7].into()));
        assert!(text.contains("http://192.168.1.7:7880/demo/"), "{text}");
        assert!(text.contains("ws://192.168.1.7:7880"), "{text}");
    }

    #[test]
    fn the_frame_is_straight() {
        let text = banner(Some([192, 168, 1, 7].into()));
        let widths: Vec<usize> = text
            .lines()
            .filter(|line| line.starts_with(['┌', '│', '└']))
            .map(|line| line.chars().count())
            .collect();
        assert!(widths.len() > 5 && widths.iter().all(|width| *width == widths[0]), "{text}");
    }
}
