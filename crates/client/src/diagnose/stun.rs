//! Binding requests with the credentials of a session (RFC 8445 §7), and what comes back.

use std::fmt;
use std::net::SocketAddr;

use turn_client_proto::types::stun::attribute::{
    AttributeType, AttributeWrite, ErrorCode, RawAttribute, Username, XorMappedAddress,
};
use turn_client_proto::types::stun::message::{
    BINDING, IntegrityAlgorithm, Message, MessageClass, MessageIntegrityCredentials, MessageType,
    MessageWrite, MessageWriteExt, MessageWriteVec, ShortTermCredentials, StunWriteError, TransactionId,
};

/// `PRIORITY` and `ICE-CONTROLLING` (RFC 8445 §16.1).
const PRIORITY: AttributeType = AttributeType::new(0x0024);
const ICE_CONTROLLING: AttributeType = AttributeType::new(0x802a);
/// Of a peer-reflexive candidate: the lowest that a pair can have is enough to be answered.
const PRIORITY_VALUE: u32 = 110 << 24;

/// What both sides of a session know each other by.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    /// Of the server.
    pub(super) remote_ufrag: String,
    /// Of the server.
    pub(super) remote_password: String,
    /// Of this client.
    pub(super) local_ufrag: String,
}

/// What a datagram says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// The server of the session has answered; from where it has seen the request come.
    Answered(Option<SocketAddr>),
    /// Something has answered, and it is not the server of the session.
    Stranger(String),
    /// It is no answer to this request.
    Other,
}

/// A binding request. It names no candidate to use, so it changes nothing in the session.
pub(super) struct Request {
    pub(super) bytes: Vec<u8>,
    transaction: TransactionId,
    integrity: MessageIntegrityCredentials,
}

impl Request {
    pub(super) fn new(credentials: &Credentials) -> Result<Self, StunWriteError> {
        let Credentials { remote_ufrag, remote_password, local_ufrag } = credentials;
        let integrity: MessageIntegrityCredentials =
            ShortTermCredentials::new(remote_password.clone()).into();
        let kind = MessageType::from_class_method(MessageClass::Request, BINDING);
        let transaction = TransactionId::generate();
        let mut message = Message::builder(kind, transaction, MessageWriteVec::new());
        message.add_attribute(&Username::new(&format!("{remote_ufrag}:{local_ufrag}"))?)?;
        add(&mut message, PRIORITY, &PRIORITY_VALUE.to_be_bytes())?;
        add(&mut message, ICE_CONTROLLING, &fastrand::u64(..).to_be_bytes())?;
        message.add_message_integrity(&integrity, IntegrityAlgorithm::Sha1)?;
        message.add_fingerprint()?;
        Ok(Self { bytes: message.finish(), transaction, integrity })
    }

    /// What a datagram says about this request.
    pub(super) fn reply(&self, datagram: &[u8]) -> Reply {
        let Ok(message) = Message::from_bytes(datagram) else { return Reply::Other };
        if !message.is_response() || message.transaction_id() != self.transaction {
            return Reply::Other;
        }
        if let Ok(error) = message.attribute::<ErrorCode>() {
            return Reply::Stranger(format!("it refuses with {}", error.code()));
        }
        if message.validate_integrity(&self.integrity).is_err() {
            return Reply::Stranger("its answer is not signed with this session's password".to_owned());
        }
        let mapped = message.attribute::<XorMappedAddress>();
        Reply::Answered(mapped.ok().map(|mapped| mapped.addr(message.transaction_id())))
    }
}

fn add(message: &mut MessageWriteVec, kind: AttributeType, value: &[u8]) -> Result<(), StunWriteError> {
    let attribute = RawAttribute::new(kind, value);
    message.add_attribute(&attribute as &dyn AttributeWrite)
}

/// Never shows a password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials {
            remote_ufrag: "srv".to_owned(),
            remote_password: "a password of a server".to_owned(),
            local_ufrag: "cli".to_owned(),
        }
    }

    fn answer(request: &Request, password: Option<&str>) -> Vec<u8> {
        let asked = Message::from_bytes(&request.bytes).unwrap();
        let mut message = Message::builder_success(&asked, MessageWriteVec::new());
        let address = XorMappedAddress::new("192.0.2.7:5000".parse().unwrap(), asked.transaction_id());
        message.add_attribute(&address).unwrap();
        if let Some(password) = password {
            let integrity = ShortTermCredentials::new(password.to_owned()).into();
            message.add_message_integrity(&integrity, IntegrityAlgorithm::Sha1).unwrap();
        }
        message.finish()
    }

    #[test]
    fn a_request_names_both_sides_and_is_signed() {
        let request = Request::new(&credentials()).unwrap();
        let message = Message::from_bytes(&request.bytes).unwrap();
        assert_eq!(message.attribute::<Username>().unwrap().username(), "srv:cli");
        let integrity = ShortTermCredentials::new(credentials().remote_password).into();
        assert!(message.validate_integrity(&integrity).is_ok());
        assert!(message.has_attribute(PRIORITY) && message.has_attribute(ICE_CONTROLLING));
    }

    #[test]
    fn only_the_session_s_server_answers() {
        let request = Request::new(&credentials()).unwrap();
        let right = answer(&request, Some("a password of a server"));
        assert_eq!(request.reply(&right), Reply::Answered(Some("192.0.2.7:5000".parse().unwrap())));
        for wrong in [answer(&request, Some("another")), answer(&request, None)] {
            assert!(matches!(request.reply(&wrong), Reply::Stranger(_)));
        }
        let another = Request::new(&credentials()).unwrap();
        assert_eq!(another.reply(&right), Reply::Other);
        for noise in [&b""[..], b"noise", &request.bytes, &right[..20]] {
            assert_eq!(request.reply(noise), Reply::Other, "{noise:?}");
        }
    }

    #[test]
    fn a_refusal_is_told() {
        let request = Request::new(&credentials()).unwrap();
        let asked = Message::from_bytes(&request.bytes).unwrap();
        let mut message = Message::builder_error(&asked, MessageWriteVec::new());
        message.add_attribute(&ErrorCode::builder(401).build().unwrap()).unwrap();
        let reply = request.reply(&message.finish());
        assert_eq!(reply, Reply::Stranger("it refuses with 401".to_owned()));
    }
}
