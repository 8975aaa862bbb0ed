//! Fields of ours in official messages (design §5): numbered from 5000, so that everyone else skips them.
//!
//! They are read and written beside the official types, which drop what they do not know, and in protobuf
//! alone: nobody but this software sends them, and it never speaks JSON.

use bytes::Bytes;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};

use super::{Encoding, Request, Response};
use crate::shape::{Field, Fields};

/// `SignalRequest.publish_data_track_request`.
const PUBLISH_REQUEST: u32 = 19;
/// `SignalResponse.publish_data_track_response`.
const PUBLISH_RESPONSE: u32 = 27;
/// `SignalResponse.request_response`.
const REQUEST_RESPONSE: u32 = 22;
/// Whether streams should pause.
const PAUSE_STREAMS: u32 = 5_000;
/// In a publish request the packet, in its response whether it is kept.
const LAST_WILL: u32 = 5_000;

/// Fields of ours, and the arm of the message that they belong into.
pub(super) struct Overlay {
    arm: u32,
    fields: Vec<u8>,
}

/// What a request says beyond its official fields.
pub(super) fn of_request(request: &Request) -> Option<Overlay> {
    let Request::PublishDataTrack(publish) = request else { return None };
    let will = publish.last_will.as_ref()?;
    let mut fields = Vec::with_capacity(will.len() + 6);
    prost::encoding::bytes::encode(LAST_WILL, will, &mut fields);
    Some(Overlay { arm: PUBLISH_REQUEST, fields })
}

/// What a response says beyond its official fields.
pub(super) fn of_response(response: &Response) -> Option<Overlay> {
    let mut fields = Vec::new();
    let arm = match response {
        Response::DataTrackPublished(track) if track.last_will => {
            prost::encoding::bool::encode(LAST_WILL, &true, &mut fields);
            PUBLISH_RESPONSE
        }
        Response::PauseStreams(pauses) => {
            prost::encoding::bool::encode(PAUSE_STREAMS, pauses, &mut fields);
            REQUEST_RESPONSE
        }
        _ => return None,
    };
    Some(Overlay { arm, fields })
}

/// The frame with these fields in its one arm.
pub(super) fn extended(frame: Vec<u8>, own: Option<&Overlay>) -> Vec<u8> {
    let Some(Overlay { arm, fields }) = own else { return frame };
    let official = Fields::new(&frame).find(|field| field.number == *arm);
    let official = official.map_or(&[][..], |field| field.content);
    let mut extended = Vec::with_capacity(frame.len() + fields.len() + 4);
    encode_key(*arm, WireType::LengthDelimited, &mut extended);
    encode_varint((official.len() + fields.len()) as u64, &mut extended);
    extended.extend_from_slice(official);
    extended.extend_from_slice(fields);
    extended
}

/// The request with what its frame says beyond the official fields.
pub(super) fn read_request(request: Request, frame: &[u8], encoding: Encoding) -> Request {
    match (request, encoding) {
        (Request::PublishDataTrack(mut publish), Encoding::Binary) => {
            let will = own_field(frame, PUBLISH_REQUEST, LAST_WILL);
            publish.last_will = will.map(|field| Bytes::copy_from_slice(field.content));
            Request::PublishDataTrack(publish)
        }
        (request, _) => request,
    }
}

/// The response with what its frame says beyond the official fields.
pub(super) fn read_response(response: Response, frame: &[u8], encoding: Encoding) -> Response {
    match (response, encoding) {
        (Response::DataTrackPublished(mut track), Encoding::Binary) => {
            track.last_will = own_field(frame, PUBLISH_RESPONSE, LAST_WILL).is_some_and(is_true);
            Response::DataTrackPublished(track)
        }
        (Response::RequestResponse { request_id: 0, .. }, Encoding::Binary)
            if own_field(frame, REQUEST_RESPONSE, PAUSE_STREAMS).is_some() =>
        {
            Response::PauseStreams(own_field(frame, REQUEST_RESPONSE, PAUSE_STREAMS).is_some_and(is_true))
        }
        (response, _) => response,
    }
}

/// The last field of that number in an arm: in protobuf the last value wins.
fn own_field(frame: &[u8], arm: u32, number: u32) -> Option<Field<'_>> {
    let arms = Fields::new(frame).filter(|field| field.number == arm);
    arms.flat_map(|arm| Fields::new(arm.content)).filter(|field| field.number == number).last()
}

fn is_true(field: Field<'_>) -> bool {
    let mut raw = field.raw;
    let is_varint = decode_key(&mut raw).is_ok_and(|(_, wire_type)| wire_type == WireType::Varint);
    is_varint && decode_varint(&mut raw).is_ok_and(|value| value != 0)
}
