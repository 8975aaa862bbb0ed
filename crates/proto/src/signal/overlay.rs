//! Fields of ours in official messages: numbered from 5000, so that everyone else skips them.
//!
//! They are read and written beside the official types, which drop what they do not know, and in protobuf
//! alone: nobody but this software sends them, and it never speaks JSON.

mod delivery;

use bytes::Bytes;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::{DataSubscription, Encoding, Request, Response};
use crate::shape::{Field, Fields};
use delivery::{merged, varint};

/// `SignalRequest.publish_data_track_request`.
const PUBLISH_REQUEST: u32 = 19;
/// `SignalRequest.update_data_subscription`.
const SUBSCRIPTION: u32 = 21;
/// `SignalResponse.publish_data_track_response`.
const PUBLISH_RESPONSE: u32 = 27;
/// `SignalResponse.request_response`.
const REQUEST_RESPONSE: u32 = 22;
/// `UpdateDataSubscription.updates`.
const UPDATES: u32 = 1;
/// `UpdateDataSubscription.Update.options`.
const OPTIONS: u32 = 3;
/// Whether streams should pause.
const PAUSE_STREAMS: u32 = 5_000;
/// In a publish request the packet, in its response whether it is kept.
const LAST_WILL: u32 = 5_000;
/// In a publish request whether the last frame is to be kept for late joiners, in its response whether it is.
const LATCH: u32 = 5_006;

/// What a request says beyond its official fields, as the arm and the fields to add to it.
fn of_request(request: &Request) -> Option<(u32, Vec<u8>)> {
    let Request::PublishDataTrack(publish) = request else { return None };
    let mut fields = Vec::new();
    if let Some(will) = &publish.last_will {
        prost::encoding::bytes::encode(LAST_WILL, will, &mut fields);
    }
    if publish.latch {
        prost::encoding::bool::encode(LATCH, &true, &mut fields);
    }
    delivery::put(&publish.delivery, &mut fields);
    (!fields.is_empty()).then_some((PUBLISH_REQUEST, fields))
}

/// What a response says beyond its official fields.
fn of_response(response: &Response) -> Option<(u32, Vec<u8>)> {
    let mut fields = Vec::new();
    let arm = match response {
        Response::DataTrackPublished(track) => {
            for (number, says) in [(LAST_WILL, track.last_will), (LATCH, track.latched)] {
                if says {
                    prost::encoding::bool::encode(number, &true, &mut fields);
                }
            }
            PUBLISH_RESPONSE
        }
        Response::PauseStreams(pauses) => {
            prost::encoding::bool::encode(PAUSE_STREAMS, pauses, &mut fields);
            REQUEST_RESPONSE
        }
        _ => return None,
    };
    (!fields.is_empty()).then_some((arm, fields))
}

/// The frame of a request with what it says beyond the official fields.
pub(super) fn write_request(request: &Request, frame: Vec<u8>) -> Vec<u8> {
    match request {
        Request::UpdateDataSubscription(updates) => with_deliveries(updates, frame),
        _ => extended(frame, of_request(request)),
    }
}

/// The frame of a response with what it says beyond the official fields.
pub(super) fn write_response(response: &Response, frame: Vec<u8>) -> Vec<u8> {
    extended(frame, of_response(response))
}

/// The frame with these fields in its one arm.
fn extended(frame: Vec<u8>, own: Option<(u32, Vec<u8>)>) -> Vec<u8> {
    let Some((arm, fields)) = own else { return frame };
    let official = Fields::new(&frame).find(|field| field.number == arm);
    let official = official.map_or(&[][..], |field| field.content);
    let mut extended = Vec::with_capacity(frame.len() + fields.len() + 4);
    put_message(arm, &[official, &fields], &mut extended);
    extended
}

/// The frame with each subscription's wish in its options.
fn with_deliveries(updates: &[DataSubscription], frame: Vec<u8>) -> Vec<u8> {
    if updates.iter().all(|update| update.options.delivery == Default::default()) {
        return frame;
    }
    let mut arm = Vec::with_capacity(frame.len() + updates.len() * 24);
    let (mut fields, mut options) = (Vec::new(), Vec::new());
    for (official, update) in merged(&frame, SUBSCRIPTION).zip(updates) {
        fields.clear();
        options.clear();
        delivery::put(&update.options.delivery, &mut fields);
        if !fields.is_empty() {
            // Behind the official options: protobuf merges the two.
            put_message(OPTIONS, &[&fields], &mut options);
        }
        put_message(UPDATES, &[official.content, &options], &mut arm);
    }
    let mut extended = Vec::with_capacity(arm.len() + 8);
    put_message(SUBSCRIPTION, &[&arm], &mut extended);
    extended
}

/// Appends a sub-message that consists of these parts.
fn put_message(number: u32, parts: &[&[u8]], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(parts.iter().map(|part| part.len() as u64).sum(), out);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// The request with what its frame says beyond the official fields.
pub(super) fn read_request(request: Request, frame: &[u8], encoding: Encoding) -> Request {
    match (request, encoding) {
        (Request::PublishDataTrack(mut publish), Encoding::Binary) => {
            let will = own_field(frame, PUBLISH_REQUEST, LAST_WILL);
            publish.last_will = will.map(|field| Bytes::copy_from_slice(field.content));
            publish.latch = own_field(frame, PUBLISH_REQUEST, LATCH).is_some_and(is_true);
            publish.delivery = delivery::read(merged(frame, PUBLISH_REQUEST));
            Request::PublishDataTrack(publish)
        }
        (Request::UpdateDataSubscription(mut updates), Encoding::Binary) => {
            read_deliveries(&mut updates, frame);
            Request::UpdateDataSubscription(updates)
        }
        (request, _) => request,
    }
}

/// Updates are found in the order of their decoding; where the two disagree about how many there are, nothing
/// is wished.
fn read_deliveries(updates: &mut [DataSubscription], frame: &[u8]) {
    let elements = || merged(frame, SUBSCRIPTION).filter(|field| field.number == UPDATES);
    if elements().count() != updates.len() {
        return;
    }
    for (element, update) in elements().zip(updates) {
        update.options.delivery = delivery::read(merged(element.content, OPTIONS));
    }
}

/// The response with what its frame says beyond the official fields.
pub(super) fn read_response(response: Response, frame: &[u8], encoding: Encoding) -> Response {
    let says = |arm, number| own_field(frame, arm, number).is_some_and(is_true);
    match (response, encoding) {
        (Response::DataTrackPublished(mut track), Encoding::Binary) => {
            track.last_will = says(PUBLISH_RESPONSE, LAST_WILL);
            track.latched = says(PUBLISH_RESPONSE, LATCH);
            Response::DataTrackPublished(track)
        }
        (Response::RequestResponse { request_id: 0, .. }, Encoding::Binary)
            if own_field(frame, REQUEST_RESPONSE, PAUSE_STREAMS).is_some() =>
        {
            Response::PauseStreams(says(REQUEST_RESPONSE, PAUSE_STREAMS))
        }
        (response, _) => response,
    }
}

/// The last field of that number in an arm: in protobuf the last value wins.
fn own_field(frame: &[u8], arm: u32, number: u32) -> Option<Field<'_>> {
    merged(frame, arm).filter(|field| field.number == number).last()
}

fn is_true(field: Field<'_>) -> bool {
    varint(field).is_some_and(|value| value != 0)
}
