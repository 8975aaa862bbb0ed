use super::*;
use crate::signal::{Outbound, PublishDataTrack};

#[test]
fn a_request_comes_back_as_it_was() {
    for encoding in [Encoding::Binary, Encoding::Json] {
        let request = Request::PublishDataTrack(PublishDataTrack::new(7, "pose"));
        let frame = request.encode(encoding);
        assert_eq!(Request::decode(&frame, encoding).unwrap(), Some(request));
    }
}

#[test]
fn a_response_is_encoded_once_per_encoding() {
    let outbound = Outbound::new(Response::Pong(1));
    assert_eq!(outbound.encode(Encoding::Json).as_ptr(), outbound.encode(Encoding::Json).as_ptr());
    assert_eq!(&outbound.encode(Encoding::Json)[..], br#"{"pong":"1"}"#);
    assert_eq!(&outbound.clone().encode(Encoding::Binary)[..], [0x90, 0x01, 0x01]);
}
