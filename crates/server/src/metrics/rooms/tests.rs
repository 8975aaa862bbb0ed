//! Series of rooms and tracks stay few, short and well formed, whatever clients call things.

use std::sync::Arc;

use prometheus_client::encoding::text;
use trackyard_proto::{DataTrackInfo, Encryption, ParticipantInfo, RoomInfo};
use trackyard_sfu::room::TrackFigures;

use super::*;

fn room(name: &str, participants: usize, tracks: usize) -> RoomDescription {
    let info = DataTrackInfo {
        pub_handle: 1,
        sid: "DTR_x".into(),
        name: "pose".into(),
        encryption: Encryption::None,
        frame_encoding: None,
        schema: None,
    };
    let mut participant = ParticipantInfo::named("PA_x", "ada", "");
    let info = Arc::new(info);
    participant.data_tracks = (0..tracks).map(|_| Arc::clone(&info)).collect();
    participant.is_publisher = tracks > 0;
    RoomDescription {
        info: Arc::new(RoomInfo { name: name.to_owned(), ..RoomInfo::default() }),
        participants: (0..participants).map(|_| Arc::new(participant.clone())).collect(),
        counters: RoomCounters::default(),
        tracks: Vec::new(),
    }
}

fn page(register: impl FnOnce(&mut Registry)) -> Vec<String> {
    let mut registry = Registry::default();
    register(&mut registry);
    let mut page = String::new();
    text::encode(&mut page, &registry).unwrap();
    page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn each_room_has_its_gauges() {
    let lines = page(|registry| each(registry, &[room("yard", 3, 2)]));
    assert_eq!(
        lines,
        [
            r#"room_participants{room="yard"} 3"#,
            r#"room_publishers{room="yard"} 3"#,
            r#"room_data_tracks{room="yard"} 6"#,
            "room_series_omitted 0",
        ]
    );
}

#[test]
fn the_largest_rooms_have_series_and_the_others_are_counted() {
    let rooms: Vec<_> = (0..ROOMS_MAX + 5).map(|at| room(&format!("room-{at}"), at, 0)).collect();
    let lines = page(|registry| each(registry, &rooms));
    assert_eq!(lines.len(), 3 * ROOMS_MAX + 1);
    assert_eq!(lines.last().unwrap(), "room_series_omitted 5");
    assert!(
        lines.iter().any(|line| line.contains("room-204"))
            && !lines.iter().any(|line| line.contains("room-4\""))
    );
}

#[test]
fn names_are_escaped_and_cut_and_never_make_a_series_twice() {
    let lines = page(|registry| each(registry, &[room("a\"b\\c\nd", 1, 0)]));
    assert_eq!(lines[0], r#"room_participants{room="a\"b\\c\nd"} 1"#);
    let [one, two] = ["1", "2"].map(|end| "ü".repeat(5_000) + end);
    let lines = page(|registry| each(registry, &[room(&one, 1, 0), room(&two, 2, 0)]));
    assert_eq!(lines[0], format!("room_participants{{room=\"{}…\"}} 3", "ü".repeat(LABEL_CHARS_MAX)));
    assert_eq!(lines.len(), 4);
}

#[test]
fn each_track_has_its_figures_up_to_a_bound() {
    let figures = |at: usize| TrackFigures {
        publisher: "ada".into(),
        name: format!("track-{at}"),
        subscribers: at,
        meter: Arc::default(),
    };
    let yard = RoomDescription { tracks: vec![figures(1)], ..room("yard", 1, 0) };
    assert_eq!(
        page(|registry| each_track(registry, &[yard])),
        [
            r#"track_received_packets_total{room="yard",participant="ada",track="track-1"} 0"#,
            r#"track_received_bytes_total{room="yard",participant="ada",track="track-1"} 0"#,
            r#"track_subscribers{room="yard",participant="ada",track="track-1"} 1"#,
            "track_series_omitted 0",
        ]
    );
    let tracks = (0..TRACKS_MAX + 3).map(figures).collect();
    let lines = page(|registry| each_track(registry, &[RoomDescription { tracks, ..room("yard", 1, 0) }]));
    assert_eq!(lines.len(), 3 * TRACKS_MAX + 1);
    assert_eq!(lines.last().unwrap(), "track_series_omitted 3");
    assert!(!lines.iter().any(|line| line.contains("track-2\"")), "who has most subscribers is shown");
}
