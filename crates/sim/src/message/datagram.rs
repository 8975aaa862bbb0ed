//! The datagrams of the message-level transport. All but the first look like DTLS from outside: messages and
//! acknowledgements like application data, the others like handshake and alert.

use trackyard_peer::ChannelKind;

const WELCOME: u8 = 22;
const GOODBYE: u8 = 21;
const DATA: u8 = 23;
/// In the place of a channel.
const ACKNOWLEDGE: u8 = 255;
const STUN_MAGIC: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const STUN_USERNAME: u16 = 0x0006;

/// One datagram.
pub(super) enum Datagram<'d> {
    /// A client's first, in the form of a STUN binding request.
    Knock,
    /// The server's answer to it.
    Welcome,
    Message {
        channel: ChannelKind,
        sequence: u32,
        contents: &'d [u8],
    },
    Acknowledge {
        sequence: u32,
    },
    Goodbye,
}

impl<'d> Datagram<'d> {
    pub(super) fn parse(datagram: &'d [u8]) -> Option<Self> {
        match *datagram {
            [0, 1, _, _, a, b, c, d, ..] if [a, b, c, d] == STUN_MAGIC => Some(Self::Knock),
            [WELCOME] => Some(Self::Welcome),
            [GOODBYE] => Some(Self::Goodbye),
            [DATA, ACKNOWLEDGE, a, b, c, d] => {
                Some(Self::Acknowledge { sequence: u32::from_be_bytes([a, b, c, d]) })
            }
            [DATA, channel, a, b, c, d, ref contents @ ..] => Some(Self::Message {
                channel: channel_kind(channel)?,
                sequence: u32::from_be_bytes([a, b, c, d]),
                contents,
            }),
            _ => None,
        }
    }

    pub(super) fn build(&self) -> Vec<u8> {
        match *self {
            Self::Knock => binding_request(""),
            Self::Welcome => vec![WELCOME],
            Self::Goodbye => vec![GOODBYE],
            Self::Acknowledge { sequence } => [&[DATA, ACKNOWLEDGE][..], &sequence.to_be_bytes()].concat(),
            Self::Message { channel, sequence, contents } => {
                [&[DATA, channel_number(channel)][..], &sequence.to_be_bytes(), contents].concat()
            }
        }
    }
}

/// A STUN binding request that carries only a user name of at most 512 bytes.
pub(super) fn binding_request(username: &str) -> Vec<u8> {
    let padded = username.len().next_multiple_of(4);
    let mut request = vec![0, 1];
    request.extend(u16::try_from(padded + 4).unwrap_or(u16::MAX).to_be_bytes());
    request.extend(STUN_MAGIC);
    request.extend([7; 12]);
    request.extend(STUN_USERNAME.to_be_bytes());
    request.extend(u16::try_from(username.len()).unwrap_or(u16::MAX).to_be_bytes());
    request.extend(username.as_bytes());
    request.resize(20 + 4 + padded, 0);
    request
}

fn channel_number(channel: ChannelKind) -> u8 {
    match channel {
        ChannelKind::Reliable => 0,
        ChannelKind::Lossy => 1,
        ChannelKind::DataTrack => 2,
    }
}

fn channel_kind(number: u8) -> Option<ChannelKind> {
    [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack].get(usize::from(number)).copied()
}
