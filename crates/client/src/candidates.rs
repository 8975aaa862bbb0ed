//! Where a server says that it is reached.

use trackyard_proto::Response;

/// Candidates that are kept, for the message that says they did not work.
const CANDIDATES_MAX: usize = 16;

/// What a server has named since this client tries to connect.
#[derive(Debug, Default)]
pub(crate) struct Candidates(Vec<String>);

impl Candidates {
    /// Notes what a message names.
    pub(crate) fn note(&mut self, response: &Response) {
        match response {
            Response::Answer(description) | Response::Offer(description) => {
                for line in description.sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:")) {
                    self.add(line);
                }
            }
            Response::Trickle(trickle) => {
                if let Ok(Some(candidate)) = trickle.candidate() {
                    self.add(candidate.trim_start_matches("candidate:"));
                }
            }
            _ => {}
        }
    }

    /// As `udp 192.0.2.1:7882`.
    pub(crate) fn list(&self) -> Vec<String> {
        self.0.clone()
    }

    /// Of `foundation component transport priority address port typ …` (RFC 8839 §5.1).
    fn add(&mut self, line: &str) {
        let mut fields = line.split_ascii_whitespace().skip(2);
        let (Some(transport), Some(_), Some(address), Some(port)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return;
        };
        let address = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        let text = format!("{} {address}:{port}", transport.to_ascii_lowercase());
        if self.0.len() < CANDIDATES_MAX && !self.0.contains(&text) {
            self.0.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_noted_once_and_garbage_is_not() {
        let mut candidates = Candidates::default();
        for line in ["1 1 UDP 1 192.0.2.1 7882 typ host", "2 1 udp 2 192.0.2.1 7882 typ host", "3 1 tcp", ""]
        {
            candidates.add(line);
        }
        candidates.add("4 1 tcp 1 2001:db8::1 7881 typ host tcptype passive");
        assert_eq!(candidates.list(), ["udp 192.0.2.1:7882", "tcp [2001:db8::1]:7881"]);
    }
}
