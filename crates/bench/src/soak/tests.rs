//! Orders, ledgers, footprints, and what is said of them.

use std::time::Duration;

use super::*;

#[test]
fn the_same_seed_makes_the_same_order() {
    let rounds = |seed| (0..8).map(|round| course(&Fault::ALL, false, (seed, round))).collect::<Vec<_>>();
    assert_eq!(rounds(7), rounds(7));
    assert_ne!(rounds(7), rounds(8));
    assert!(rounds(7).windows(2).any(|pair| pair[0] != pair[1]), "rounds differ");
    let reversed: Vec<_> = Fault::ALL.into_iter().rev().collect();
    assert_eq!(course(&Fault::ALL, true, (7, 1)), course(&reversed, true, (7, 1)));
}

#[test]
fn each_fault_comes_once_in_a_round_and_joins_have_no_stage() {
    for is_mixed in [false, true] {
        for seed in 0..50 {
            let stages = course(&Fault::ALL, is_mixed, (seed, 0));
            let mut all: Vec<_> = stages.concat();
            all.sort_unstable();
            assert_eq!(all, &Fault::ALL[1..], "{stages:?}");
            assert_eq!(stages.len(), if is_mixed { 3 } else { 7 });
            assert!(
                stages.iter().all(|stage| stage.len() == 1 || !stage.iter().any(|fault| fault.is_for_all()))
            );
        }
    }
    assert!(course(&[Fault::Joins], true, (1, 0)).is_empty());
}

#[test]
fn faults_are_named_as_they_are_parsed() {
    for fault in Fault::ALL {
        assert_eq!(fault.to_string().parse(), Ok(fault));
        assert_eq!(serde_json::to_value(fault).unwrap(), fault.name());
    }
    let unknown = "fire".parse::<Fault>().unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "`fire` is none of joins, flaps, slow, silent, garbage, workers, clock, full-disk"
    );
}

#[test]
fn a_ledger_knows_what_is_missing_where() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.lost_in(&(3..5)), 2, "nothing has come");
    for number in [10, 11, 13, 12, 13, 20] {
        ledger.record(number, Duration::from_millis(number));
    }
    assert_eq!((ledger.received(), ledger.repeated(), ledger.next()), (4, 2, 21));
    assert_eq!(ledger.lost_in(&(10..21)), 7, "12, and 14 to 19");
    assert_eq!(ledger.lost_in(&(10..12)), 0);
    assert_eq!(ledger.lost_in(&(12..16)), 3);
    assert_eq!(ledger.lost_in(&(21..25)), 4, "what has not come yet");
    assert_eq!(ledger.take_ages().count(), 4);
    assert_eq!(ledger.take_ages().count(), 0);
}

#[test]
fn gaps_without_a_place_count_all_the_same() {
    let mut ledger = Ledger::default();
    for number in 0..=(GAPS_MAX as u64 + 1) {
        ledger.record(number * 2, Duration::ZERO);
    }
    assert_eq!(ledger.lost_in(&(0..2 * GAPS_MAX as u64 + 3)), GAPS_MAX as u64 + 1);
}

#[test]
fn growth_is_told_beyond_the_tolerance_only() {
    let before = Footprint {
        memory_bytes: 10 << 20,
        descriptors: 40,
        workers_alive: 2,
        tasks: 9,
        ..Footprint::default()
    };
    let tolerance = Tolerance { memory_bytes: 2 << 20, descriptors: 1, tasks: 2 };
    let at_the_edge = Footprint { memory_bytes: 12 << 20, descriptors: 41, tasks: 11, threads: 1, ..before };
    assert_eq!(at_the_edge.growth(&before, &tolerance), Vec::<String>::new());
    let over = Footprint {
        memory_bytes: 13 << 20,
        descriptors: 42,
        threads: 2,
        tasks: 12,
        rooms: 1,
        participants: 1,
        tcp_connections: 1,
        workers_alive: 1,
    };
    let told = over.growth(&before, &tolerance);
    assert_eq!(told.len(), 8, "{told:?}");
    assert_eq!(told[0], "13 MiB of memory are held, 10 before, more than 2 over it");
    assert_eq!(told[7], "1 of 2 workers run");
}

#[test]
fn hostile_datagrams_are_repeatable_bounded_and_of_every_kind() {
    let make = |seed| {
        let mut hostile = Hostile::new(seed, "name");
        (0..2_000).map(|_| hostile.datagram()).collect::<Vec<_>>()
    };
    let made = make(3);
    assert_eq!(made, make(3));
    assert_ne!(made, make(4));
    assert!(made.iter().all(|datagram| datagram.len() <= DATAGRAM_BYTES_MAX));
    for first in [0x00, 0x16, 0x80, 0xff] {
        assert!(made.iter().any(|datagram| datagram.first() == Some(&first)), "{first:#x}");
    }
    assert!(made.iter().any(Vec::is_empty));
}

fn report() -> SoakReport {
    SoakReport {
        schema: SOAK_SCHEMA.to_owned(),
        version: "0.1.0".to_owned(),
        seed: 7,
        faults: vec![Fault::Joins, Fault::FullDisk],
        took_s: 61.25,
        is_cut: false,
        joins: JoinsReport { asked: 100, done: 100, repeated: 1, failed: 0, took_s: 10.0 },
        stages: vec![StageReport {
            round: 1,
            faults: vec![Fault::FullDisk],
            began_s: 5.0,
            took_s: 4.25,
            facts: vec![Fact { name: "log_lines_lost".to_owned(), value: 12.0 }],
            bystanders: vec![BystanderReport {
                frames_sent: 400,
                age_p50_ms: Some(0.5),
                ..BystanderReport::default()
            }],
            broken: Vec::new(),
        }],
        before: Footprint { memory_bytes: 10 << 20, ..Footprint::default() },
        after: Footprint { memory_bytes: 11 << 20, ..Footprint::default() },
        tolerance: ToleranceReport { memory_bytes: 4 << 20, descriptors: 1, tasks: 2 },
        memory: vec![MemoryPoint { at_s: 5.0, joins: 10, memory_bytes: 10 << 20 }],
        broken: Vec::new(),
    }
}

#[test]
fn a_report_says_what_happened() {
    let text = report().to_markdown();
    for part in [
        "Trackyard 0.1.0, seed 7, 61 s: joins, full-disk.",
        "100 of 100 joins in 10.0 s, 10.0 a second; 1 tries repeated, 0 failed.",
        "| memory, MiB | 10 | 11 | 4 |",
        "| 1 | full-disk | 4.2 | log lines lost 12 | 0 of 400 | 0 of 0 | 0 | 0.5 / - / - |",
        "| 5 | 10 | 10 |",
        "Everything held.",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let broken = SoakReport { broken: vec!["two rooms are left".to_owned()], is_cut: true, ..report() };
    assert!(
        broken.to_markdown().contains("61 s, cut short")
            && broken.to_markdown().contains("- two rooms are left")
    );
}

#[test]
fn what_was_cut_short_has_not_held() {
    let cut = SoakReport { is_cut: true, after: Footprint::default(), ..report() };
    let text = cut.to_markdown();
    assert!(text.ends_with("Cut short: nothing is known of the end.\n"), "{text}");
    assert!(!text.contains("Everything held") && text.contains("| memory, MiB | 10 | - | 4 |"), "{text}");
    let why = SoakReport { broken: vec!["the server has ended".to_owned()], ..cut };
    let text = why.to_markdown();
    assert!(text.ends_with("of the end.\n\nWhat did not hold:\n\n- the server has ended\n"), "{text}");
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let json = report().to_json().unwrap();
    assert_eq!(serde_json::from_str::<SoakReport>(&json).unwrap(), report());
    assert!(json.contains("\"full-disk\"") && json.contains("\"memory_bytes\""));
}
