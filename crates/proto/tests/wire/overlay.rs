//! Fields of ours in official messages: they survive the way between our own ends, and nobody else sees them.

use std::time::Duration;

use bytes::Bytes;
use livekit_protocol as pb;
use proptest::prelude::*;
use prost::Message;
use trackyard_proto::signal::{
    DataSubscription, DataTrackPublication, PublishDataTrack, SubscriptionOptions,
};
use trackyard_proto::{DeliveryPolicy, DeliveryWish, Encoding, Outbound, Request, Response};

use crate::samples;

fn wish(will: Option<&[u8]>) -> Request {
    let publish = samples::publish();
    Request::PublishDataTrack(match will {
        Some(will) => publish.with_last_will(Bytes::copy_from_slice(will)),
        None => publish,
    })
}

fn will(frame: &[u8]) -> Option<Bytes> {
    match Request::decode(frame, Encoding::Binary).unwrap() {
        Some(Request::PublishDataTrack(PublishDataTrack { last_will, .. })) => last_will,
        other => panic!("{other:?}"),
    }
}

fn answer(last_will: bool) -> Response {
    Response::DataTrackPublished(DataTrackPublication {
        info: samples::track(1, "pose"),
        last_will,
        latched: false,
    })
}

fn written(response: Response) -> Bytes {
    Outbound::new(response).encode(Encoding::Binary)
}

#[test]
fn a_pause_is_an_answer_to_nothing_for_everyone_else() {
    for pauses in [true, false] {
        let frame = written(Response::PauseStreams(pauses));
        assert_eq!(Response::decode(&frame, Encoding::Binary).unwrap(), Some(Response::PauseStreams(pauses)));
        let official = pb::SignalResponse::decode(&*frame).unwrap().message;
        let Some(pb::signal_response::Message::RequestResponse(answer)) = official else {
            panic!("{official:?}")
        };
        assert_eq!((answer.request_id, answer.reason()), (0, pb::request_response::Reason::Queued));
    }
}

proptest! {
    #[test]
    fn a_last_will_arrives_as_it_was_given(bytes in prop::collection::vec(any::<u8>(), 0..1_400)) {
        let request = wish(Some(&bytes));
        let frame = request.encode(Encoding::Binary);
        prop_assert_eq!(Request::decode(&frame, Encoding::Binary).unwrap(), Some(request));
    }
}

proptest! {
    #[test]
    fn a_frame_that_was_altered_is_read_without_a_panic_and_holds_no_more_than_it_has(
        at in 0_usize..200,
        byte in any::<u8>(),
        cut in 0_usize..200,
    ) {
        for frame in [wish(Some(&[7; 100])).encode(Encoding::Binary), written(answer(true))] {
            let mut frame = frame.to_vec();
            let at = at % frame.len();
            frame[at] = byte;
            frame.truncate(frame.len() - cut % frame.len());
            if let Ok(Some(Request::PublishDataTrack(publish))) = Request::decode(&frame, Encoding::Binary) {
                prop_assert!(publish.last_will.is_none_or(|will| will.len() < frame.len()));
            }
            if let Ok(Some(answer)) = Response::decode(&frame, Encoding::Binary) {
                prop_assert_eq!(Response::decode(&written(answer.clone()), Encoding::Binary).ok(), Some(Some(answer)));
            }
        }
    }
}

#[test]
fn official_servers_read_the_same_request_with_a_last_will_and_without() {
    let with = pb::SignalRequest::decode(wish(Some(b"stop")).encode(Encoding::Binary)).unwrap();
    let without = pb::SignalRequest::decode(wish(None).encode(Encoding::Binary)).unwrap();
    assert_eq!(with, without);
    assert_eq!(wish(None).encode(Encoding::Binary), without.encode_to_vec());
}

#[test]
fn official_clients_read_the_same_answer_whether_a_last_will_is_kept_or_not() {
    for last_will in [true, false] {
        let frame = written(answer(last_will));
        assert_eq!(Response::decode(&frame, Encoding::Binary).unwrap(), Some(answer(last_will)));
        let official = pb::SignalResponse::decode(frame).unwrap();
        assert_eq!(official, pb::SignalResponse::decode(written(answer(false))).unwrap());
    }
}

#[test]
fn what_an_official_client_writes_holds_no_last_will() {
    let request =
        pb::PublishDataTrackRequest { pub_handle: 1, name: "pose".to_owned(), ..Default::default() };
    let message = Some(pb::signal_request::Message::PublishDataTrackRequest(request));
    assert_eq!(will(&pb::SignalRequest { message }.encode_to_vec()), None);
}

#[test]
fn the_last_will_that_comes_last_counts_and_an_empty_one_is_one() {
    let twice = [wish(Some(b"one")).encode(Encoding::Binary), wish(Some(b"two")).encode(Encoding::Binary)];
    assert_eq!(will(&twice.concat()).as_deref(), Some(&b"two"[..]));
    assert_eq!(will(&wish(Some(b"")).encode(Encoding::Binary)).as_deref(), Some(&b""[..]));
}

#[test]
fn a_field_of_another_kind_under_our_number_is_not_taken_for_a_yes() {
    // `publish_data_track_response` with field 5000 as an empty text, then as the number 0.
    for own in [&[0xc2, 0xb8, 0x02, 0x00][..], &[0xc0, 0xb8, 0x02, 0x00]] {
        let plain = written(answer(false));
        let mut frame = plain.to_vec();
        frame.extend_from_slice(&[0xda, 0x01, own.len() as u8]);
        frame.extend_from_slice(own);
        assert_eq!(Response::decode(&frame, Encoding::Binary).unwrap(), Some(answer(false)));
    }
}

#[test]
fn json_has_no_fields_of_ours() {
    let frame = wish(Some(b"stop")).encode(Encoding::Json);
    assert_eq!(Request::decode(&frame, Encoding::Json).unwrap(), Some(wish(None)));
}

fn delivery() -> impl Strategy<Value = DeliveryWish> {
    let policy = prop_oneof![
        Just(DeliveryPolicy::Auto),
        Just(DeliveryPolicy::Latest),
        any::<u16>().prop_map(DeliveryPolicy::Queue)
    ];
    let age = any::<u32>().prop_map(|micros| Duration::from_micros(micros.into()));
    let rest = (prop::option::of(any::<u16>()), prop::option::of(any::<u32>()));
    (prop::option::of(policy), prop::option::of(age), rest).prop_map(
        |(policy, age_max, (weight, max_millihertz))| DeliveryWish {
            policy,
            age_max,
            weight,
            max_millihertz,
        },
    )
}

fn subscriptions() -> impl Strategy<Value = Vec<DataSubscription>> {
    let one = ("[a-z]{0,9}", any::<bool>(), prop::option::of(any::<u32>()), delivery());
    let one = one.prop_map(|(track_sid, subscribe, target_fps, delivery)| DataSubscription {
        track_sid,
        subscribe,
        options: SubscriptionOptions { target_fps, delivery },
    });
    prop::collection::vec(one, 0..5)
}

proptest! {
    #[test]
    fn wishes_for_delivery_arrive_as_they_were_said(
        subscriptions in subscriptions(),
        delivery in delivery(),
        latch in any::<bool>(),
    ) {
        let publish = PublishDataTrack { latch, ..samples::publish().with_delivery(delivery) };
        let publish = Request::PublishDataTrack(publish);
        for request in [publish, Request::UpdateDataSubscription(subscriptions)] {
            let frame = request.encode(Encoding::Binary);
            prop_assert_eq!(Request::decode(&frame, Encoding::Binary).unwrap(), Some(request));
        }
    }

    #[test]
    fn official_servers_read_the_same_subscriptions_with_wishes_and_without(wished in subscriptions()) {
        let plain = wished.iter().cloned().map(|mut subscription| {
            subscription.options.delivery = DeliveryWish::default();
            subscription
        });
        let plain = Request::UpdateDataSubscription(plain.collect()).encode(Encoding::Binary);
        let plain = pb::SignalRequest::decode(plain).unwrap();
        let frame = Request::UpdateDataSubscription(wished).encode(Encoding::Binary);
        let mut official = pb::SignalRequest::decode(frame).unwrap();
        // Options that say nothing officially are as good as none.
        if let Some(pb::signal_request::Message::UpdateDataSubscription(updates)) = &mut official.message {
            for update in &mut updates.updates {
                update.options = update.options.take().filter(|options| options.target_fps.is_some());
            }
        }
        prop_assert_eq!(official, plain);
    }

    #[test]
    fn a_wish_that_was_altered_is_read_without_a_panic(at in 0_usize..400, byte in any::<u8>(), wished in subscriptions()) {
        let mut frame = Request::UpdateDataSubscription(wished).encode(Encoding::Binary).to_vec();
        let at = at % frame.len().max(1);
        if let Some(place) = frame.get_mut(at) {
            *place = byte;
        }
        if let Ok(Some(request)) = Request::decode(&frame, Encoding::Binary) {
            let again = request.encode(Encoding::Binary);
            prop_assert!(Request::decode(&again, Encoding::Binary).is_ok());
        }
    }
}

#[test]
fn official_servers_and_clients_skip_latches_and_wishes_of_publications() {
    let wish = DeliveryWish::new().with_policy(DeliveryPolicy::Queue(9)).with_max_hz(12.5);
    let ours = Request::PublishDataTrack(samples::publish().with_latch().with_delivery(wish));
    let plain =
        pb::SignalRequest::decode(Request::PublishDataTrack(samples::publish()).encode(Encoding::Binary));
    assert_eq!(pb::SignalRequest::decode(ours.encode(Encoding::Binary)), plain);

    let track = samples::track(1, "pose");
    let answer = DataTrackPublication { info: track, last_will: false, latched: true };
    let frame = written(Response::DataTrackPublished(answer.clone()));
    assert_eq!(
        Response::decode(&frame, Encoding::Binary).unwrap(),
        Some(Response::DataTrackPublished(answer))
    );
    let official = pb::SignalResponse::decode(frame).unwrap();
    assert_eq!(official, pb::SignalResponse::decode(written(self::answer(false))).unwrap());
}

#[test]
fn numbers_out_of_range_are_the_nearest_that_mean_something() {
    // `publish_data_track_request` with policy 77, age 2^40 µs and weight 2^20.
    let own = [
        &[0xc8, 0xb8, 0x02, 77][..],
        &[0xd8, 0xb8, 0x02, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20],
        &[0xe0, 0xb8, 0x02, 0x80, 0x80, 0x40],
    ]
    .concat();
    let mut frame = wish(None).encode(Encoding::Binary).to_vec();
    frame.extend_from_slice(&[0x9a, 0x01, own.len() as u8]);
    frame.extend_from_slice(&own);
    let Some(Request::PublishDataTrack(read)) = Request::decode(&frame, Encoding::Binary).unwrap() else {
        panic!("it is a publication")
    };
    let age_max = Some(Duration::from_micros(u32::MAX.into()));
    assert_eq!(read.delivery, DeliveryWish { age_max, weight: Some(u16::MAX), ..DeliveryWish::default() });
}
