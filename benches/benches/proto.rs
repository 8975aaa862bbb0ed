//! `cargo bench -p trackyard-benches --bench proto`: user packets that are passed on, and what signal connections carry.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use trackyard_proto::packet::{DataPacket, PacketValue, UserPacket};
use trackyard_proto::relay::{Delivery, Outline, Sender, seal};
use trackyard_proto::signal::{DataSubscription, SubscriptionOptions};
use trackyard_proto::{
    DataTrackInfo, DisconnectReason, Encoding, Encryption, Kind, Outbound, ParticipantInfo, ParticipantState,
    Permission, Request, Response,
};

const PAYLOAD_BYTES: [usize; 2] = [100, 15_000];
const TRACKS: [u16; 3] = [1, 100, 10_000];
const SUBSCRIPTIONS: u32 = 100;
const SENDER: Sender<'_> = Sender { sid: "PA_000000000001", identity: "robot", is_agent: false };

fn packet(bytes: usize) -> Vec<u8> {
    let user = UserPacket { payload: vec![7; bytes].into(), ..UserPacket::default() };
    DataPacket { sequence: 7, ..PacketValue::User(user).reliable(vec!["operator".to_owned()]) }.encode()
}

fn relay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("user packet, outline and seal, by bytes");
    for bytes in PAYLOAD_BYTES {
        let packet = packet(bytes);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::from_parameter(bytes), |bencher| {
            bencher.iter(|| {
                let outline = Outline::of(black_box(&packet)).expect("the packet is well formed");
                seal(&packet, &outline, SENDER, Delivery::Reliable)
            });
        });
    }
    group.finish();
}

/// An update with one participant that publishes so many tracks.
fn update(tracks: u16) -> Response {
    let track = |number: u16| {
        Arc::new(DataTrackInfo {
            pub_handle: number,
            sid: format!("DTR_{number:012}"),
            name: format!("sensor/{number:05}"),
            encryption: Encryption::None,
            frame_encoding: None,
            schema: None,
        })
    };
    let participant = ParticipantInfo {
        sid: SENDER.sid.to_owned(),
        identity: SENDER.identity.to_owned(),
        name: String::new(),
        state: ParticipantState::Active,
        metadata: String::new(),
        attributes: BTreeMap::new(),
        joined_at_ms: 1_700_000_000_000,
        version: 1,
        permission: Permission {
            can_subscribe: true,
            can_publish: true,
            can_publish_data: true,
            can_publish_sources: Vec::new(),
            hidden: false,
            recorder: false,
            can_update_metadata: false,
            agent: false,
            can_subscribe_metrics: false,
        },
        region: String::new(),
        is_publisher: true,
        kind: Kind::default(),
        kind_details: Vec::new(),
        disconnect_reason: DisconnectReason::default(),
        tracks: Vec::new(),
        data_tracks: (1..=tracks).map(track).collect(),
        client_protocol: 0,
        capabilities: Vec::new(),
    };
    Response::Update(vec![Arc::new(participant)])
}

fn updates(criterion: &mut Criterion) {
    for encoding in [Encoding::Binary, Encoding::Json] {
        let mut group = criterion.benchmark_group(format!("update encoded, {encoding:?}, by tracks"));
        for tracks in TRACKS {
            let update = update(tracks);
            group.throughput(Throughput::Elements(tracks.into()));
            group.bench_function(BenchmarkId::from_parameter(tracks), |bencher| {
                bencher.iter(|| Outbound::new(update.clone()).encode(encoding));
            });
        }
        group.finish();
    }
}

fn requests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("100 subscriptions decoded");
    for encoding in [Encoding::Binary, Encoding::Json] {
        let wish = |number| DataSubscription {
            track_sid: format!("DTR_{number:012}"),
            subscribe: true,
            options: SubscriptionOptions::default(),
        };
        let frame = Request::UpdateDataSubscription((0..SUBSCRIPTIONS).map(wish).collect()).encode(encoding);
        group.bench_function(format!("{encoding:?}"), |bencher| {
            bencher.iter(|| Request::decode(black_box(&frame), encoding));
        });
    }
    group.finish();
}

criterion_group!(benches, relay, updates, requests);
criterion_main!(benches);
