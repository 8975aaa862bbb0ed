//! How data channels are opened in band (RFC 8832).

use sctp_proto::ReliabilityType;

/// Message types (§8.2.1).
const OPEN: u8 = 3;
const ACK: u8 = 2;
/// The part of an open message before its label.
const OPEN_BYTES_MIN: usize = 12;
/// Of a channel type: messages may overtake each other.
const UNORDERED: u8 = 0x80;

/// The answer to an open message.
pub(super) const ACKNOWLEDGEMENT: [u8; 1] = [ACK];

/// What a side sends over a channel, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Delivery {
    pub(super) unordered: bool,
    pub(super) reliability: ReliabilityType,
    /// Repetitions or milliseconds, by the reliability.
    pub(super) parameter: u32,
}

/// What one side tells the other about a channel.
#[derive(Debug)]
pub(super) enum Dcep<'m> {
    /// A channel of that label is to be.
    Open(Delivery, &'m str),
    /// It is.
    Ack,
}

impl<'m> Dcep<'m> {
    /// `None` for what is neither.
    pub(super) fn parse(message: &'m [u8]) -> Option<Self> {
        match *message.first()? {
            ACK => Some(Self::Ack),
            OPEN => parse_open(message),
            _ => None,
        }
    }
}

fn parse_open(message: &[u8]) -> Option<Dcep<'_>> {
    let (head, rest) = message.split_first_chunk::<OPEN_BYTES_MIN>()?;
    let label_bytes = usize::from(u16::from_be_bytes([head[8], head[9]]));
    let protocol_bytes = usize::from(u16::from_be_bytes([head[10], head[11]]));
    let label = rest.get(..label_bytes + protocol_bytes)?.get(..label_bytes)?;
    let delivery = Delivery {
        unordered: head[1] & UNORDERED != 0,
        reliability: ReliabilityType::from(head[1] & !UNORDERED),
        parameter: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
    };
    Some(Dcep::Open(delivery, std::str::from_utf8(label).ok()?))
}

/// The message that opens a channel; a label has at most 65,535 bytes.
pub(super) fn open(delivery: Delivery, label: &str) -> Vec<u8> {
    let unordered = if delivery.unordered { UNORDERED } else { 0 };
    let mut message = vec![OPEN, delivery.reliability as u8 | unordered, 0, 0];
    message.extend_from_slice(&delivery.parameter.to_be_bytes());
    let label = &label.as_bytes()[..label.len().min(usize::from(u16::MAX))];
    message.extend_from_slice(&(label.len() as u16).to_be_bytes());
    message.extend_from_slice(&[0, 0]);
    message.extend_from_slice(label);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSSY: Delivery = Delivery { unordered: true, reliability: ReliabilityType::Rexmit, parameter: 0 };

    #[test]
    fn an_open_message_is_read_as_it_was_written() {
        let message = open(LOSSY, "_data_track");
        let Some(Dcep::Open(delivery, label)) = Dcep::parse(&message) else { panic!("{message:?}") };
        assert_eq!((delivery, label), (LOSSY, "_data_track"));
        assert!(matches!(Dcep::parse(&ACKNOWLEDGEMENT), Some(Dcep::Ack)));
    }

    #[test]
    fn what_official_clients_send_is_read() {
        let message = [3, 0x81, 1, 0, 0, 0, 0, 5, 0, 2, 0, 1, b'a', b'b', b'p'];
        let Some(Dcep::Open(delivery, label)) = Dcep::parse(&message) else { panic!("{message:?}") };
        assert_eq!((delivery, label), (Delivery { parameter: 5, ..LOSSY }, "ab"));
    }

    #[test]
    fn what_is_cut_short_or_garbled_is_refused() {
        let message = open(LOSSY, "_lossy");
        for bytes in 0..message.len() {
            assert!(Dcep::parse(&message[..bytes]).is_none(), "{bytes} bytes");
        }
        assert!(Dcep::parse(&[9]).is_none());
        assert!(Dcep::parse(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0xff]).is_none(), "no UTF-8");
    }
}
