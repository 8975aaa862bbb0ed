//! What comes is read, told apart from repetitions, and bounded.

use trackyard_proto::packet::UserPacket;
use trackyard_track::e2ee::{FrameDecryptor, FrameEncryptor, IvSeed, Key, KeyOptions, Secret};

use super::*;

#[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
fn begin() -> Instant {
    Instant::now()
}

fn user(text: &str) -> PacketValue {
    PacketValue::User(UserPacket {
        payload: Bytes::copy_from_slice(text.as_bytes()),
        ..UserPacket::default()
    })
}

fn packet(sid: &str, sequence: u32) -> DataPacket {
    DataPacket {
        participant_sid: sid.to_owned(),
        participant_identity: format!("{sid}'s"),
        sequence,
        value: user("hi"),
        ..DataPacket::default()
    }
}

struct Bench {
    incoming: Incoming,
    stats: PacketStats,
    cipher: Option<PacketCipher>,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self { incoming: Incoming::default(), stats: PacketStats::default(), cipher: None, now: begin() }
    }

    fn receive(&mut self, kind: PacketKind, packet: &DataPacket) -> Option<PacketEvent> {
        self.message(kind, &packet.encode())
    }

    fn message(&mut self, kind: PacketKind, message: &[u8]) -> Option<PacketEvent> {
        let means = Means { cipher: self.cipher.as_mut(), stats: &mut self.stats };
        self.incoming.message((kind, &Bytes::copy_from_slice(message)), means, self.now)
    }

    fn takes(&mut self, kind: PacketKind, sid: &str, sequence: u32) -> bool {
        self.receive(kind, &packet(sid, sequence)).is_some()
    }
}

#[test]
fn of_one_sender_nothing_comes_twice_or_out_of_order() {
    let mut bench = Bench::new();
    let steps =
        [("PA_a", 1, true), ("PA_a", 2, true), ("PA_a", 2, false), ("PA_a", 1, false), ("PA_b", 1, true)];
    for (sid, sequence, expected) in steps {
        assert_eq!(bench.takes(PacketKind::Reliable, sid, sequence), expected, "{sid} {sequence}");
    }
    // A gap is what a server has not told, or what was addressed to others.
    assert!(bench.takes(PacketKind::Reliable, "PA_a", 9));
    assert_eq!((bench.stats.received, bench.stats.duplicates), (4, 2));
}

#[test]
fn what_is_not_numbered_or_lossy_always_comes() {
    let mut bench = Bench::new();
    for _ in 0..2 {
        assert!(bench.takes(PacketKind::Reliable, "PA_a", 0));
        assert!(bench.takes(PacketKind::Reliable, "", 5));
        assert!(bench.takes(PacketKind::Lossy, "PA_a", 5));
    }
    assert!(bench.takes(PacketKind::Reliable, "PA_a", 5));
}

#[test]
fn a_number_counts_for_thirty_seconds_and_is_told_at_a_resume() {
    let mut bench = Bench::new();
    bench.takes(PacketKind::Reliable, "PA_b", 3);
    bench.now += Duration::from_secs(20);
    bench.takes(PacketKind::Reliable, "PA_a", 7);
    let state = |sid: &str, last| ReceiveState { publisher_sid: sid.to_owned(), last_sequence: last };
    assert_eq!(bench.incoming.receive_states(bench.now), [state("PA_a", 7), state("PA_b", 3)]);
    bench.now += Duration::from_secs(10);
    assert_eq!(bench.incoming.receive_states(bench.now), [state("PA_a", 7)]);
    assert!(bench.takes(PacketKind::Reliable, "PA_b", 3));
    assert!(!bench.takes(PacketKind::Reliable, "PA_a", 7));
}

#[test]
fn senders_are_bounded_and_the_one_that_is_silent_longest_goes() {
    let mut bench = Bench::new();
    for sender in 0..=SENDERS_MAX {
        bench.now += Duration::from_millis(1);
        bench.takes(PacketKind::Reliable, &format!("PA_{sender}"), 1);
    }
    assert_eq!(bench.incoming.states.len(), SENDERS_MAX);
    assert!(bench.takes(PacketKind::Reliable, "PA_0", 1));
    assert!(!bench.takes(PacketKind::Reliable, "PA_4096", 1));
}

#[test]
fn the_channel_says_what_kind_a_packet_is() {
    let mut bench = Bench::new();
    let event = bench.receive(PacketKind::Lossy, &packet("PA_a", 0));
    let Some(PacketEvent::Received { packet, .. }) = event else { panic!("{event:?}") };
    assert_eq!(packet.kind, PacketKind::Lossy);
}

#[test]
fn what_is_no_packet_is_counted() {
    let mut bench = Bench::new();
    assert_eq!(bench.message(PacketKind::Reliable, &[0x12, 0xff, 0xff]), None);
    assert_eq!(bench.stats.malformed, 1);
}

fn cipher(passphrase: &str) -> PacketCipher {
    let options = KeyOptions::default();
    let key = Key::derive(&Secret::raw(passphrase).unwrap(), &options).unwrap();
    let mut encryptor = FrameEncryptor::new(passphrase, &IvSeed::new([7; 32]), &options);
    encryptor.set_key(0, key.clone()).unwrap();
    let mut decryptor = FrameDecryptor::new(options);
    decryptor.set_shared_key(0, &key).unwrap();
    PacketCipher { encryptor: Box::new(encryptor), decryptor: Box::new(decryptor) }
}

fn sealed(passphrase: &str, sequence: u32) -> DataPacket {
    let mut packet = packet("PA_a", sequence);
    cipher(passphrase).seal(&mut packet).unwrap();
    packet
}

#[test]
fn an_encrypted_packet_says_nothing_of_its_value_and_is_opened_with_the_same_key() {
    let sealed = sealed("same", 1);
    assert!(!sealed.encode().windows(2).any(|bytes| bytes == b"hi"));
    let mut bench = Bench { cipher: Some(cipher("same")), ..Bench::new() };
    let event = bench.receive(PacketKind::Reliable, &sealed);
    let Some(PacketEvent::Received { packet: opened, encryption }) = event else { panic!("{event:?}") };
    assert_eq!((*opened, encryption), (packet("PA_a", 1), Encryption::Gcm));
    assert_eq!(bench.receive(PacketKind::Reliable, &sealed), None, "it is a repetition");
}

#[test]
fn the_kind_of_encryption_need_not_be_said() {
    let mut packet = sealed("same", 1);
    let PacketValue::Encrypted(value) = &mut packet.value else { panic!("it is not encrypted") };
    value.encryption = Encryption::None;
    let mut bench = Bench { cipher: Some(cipher("same")), ..Bench::new() };
    assert!(matches!(bench.receive(PacketKind::Lossy, &packet), Some(PacketEvent::Received { .. })));
}

#[test]
fn a_plain_packet_in_an_encrypted_room_is_told_to_be_one() {
    let mut bench = Bench { cipher: Some(cipher("same")), ..Bench::new() };
    let event = bench.receive(PacketKind::Reliable, &packet("PA_a", 1));
    assert!(matches!(event, Some(PacketEvent::Received { encryption: Encryption::None, .. })), "{event:?}");
}

#[test]
fn what_cannot_be_decrypted_is_counted_and_told_once() {
    let mut bench = Bench { cipher: Some(cipher("other")), ..Bench::new() };
    let told = |error| PacketEvent::Undecryptable { identity: "PA_a's".to_owned(), error };
    let wrong = told(Some(CipherError::WrongKey { key_index: 0 }));
    assert_eq!(bench.receive(PacketKind::Reliable, &sealed("same", 1)), Some(wrong.clone()));
    assert_eq!(bench.receive(PacketKind::Reliable, &sealed("same", 2)), None);
    assert_eq!(bench.stats.undecryptable, 2);
    // One that can be ends it.
    bench.cipher = Some(cipher("same"));
    assert!(matches!(
        bench.receive(PacketKind::Reliable, &sealed("same", 3)),
        Some(PacketEvent::Received { .. })
    ));
    bench.cipher = Some(cipher("other"));
    assert_eq!(bench.receive(PacketKind::Reliable, &sealed("same", 4)), Some(wrong));
    bench.cipher = None;
    assert_eq!(bench.receive(PacketKind::Reliable, &sealed("same", 5)), Some(told(None)));
}

#[test]
fn nonsense_around_an_encrypted_value_is_no_reason_to_fall_over() {
    let mut bench = Bench { cipher: Some(cipher("same")), ..Bench::new() };
    for (key_index, iv) in [(300, vec![0; 12]), (0, vec![]), (15, vec![0; 12])] {
        let mut packet = sealed("same", 0);
        let PacketValue::Encrypted(value) = &mut packet.value else { panic!("it is not encrypted") };
        (value.key_index, value.iv) = (key_index, iv.into());
        let event = bench.receive(PacketKind::Reliable, &packet);
        assert!(matches!(event, Some(PacketEvent::Undecryptable { .. })), "{event:?}");
    }
}
