//! Whatever a client or a stranger sends, the peer lives on.

use std::time::Duration;

use fastrand::Rng;
use trackyard_peer::{ChannelKind, Connection, Mode, PeerEvent, SDP_BYTES_MAX, SECTIONS_MAX, Target};

use crate::splice::{browser_offer, with_more_sections};
use crate::world::{World, new_peer, server_factory};

/// What mutations put in: words that mean something where they do not belong.
const WORDS: [&str; 20] = [
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
    "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n",
    "m=text 9 UDP/TLS/RTP/SAVPF 1\r\n",
    "a=mid:0\r\n",
    "a=recvonly\r\n",
    "a=sendrecv\r\n",
    "a=simulcast:send a;b;c\r\n",
    "a=rid:a send\r\n",
    "a=ssrc:1 cname:x\r\n",
    "a=sctp-init:AAAA\r\n",
    "a=max-message-size:99999999999999999999\r\n",
    "a=setup:active\r\n",
    "a=setup:passive\r\n",
    "a=ice-lite\r\n",
    "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n",
    "a=fingerprint:sha-1 00\r\n",
    "a=fmtp:111 apt=111\r\n",
    "a=extmap:999999 x\r\n",
    "a=group:BUNDLE\r\n",
    "\u{1f4a9}\0",
];

fn mutated(text: &str, random: &mut Rng) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..lines.len());
        match random.u8(..7) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[random.usize(..lines.len())].clone()),
            2 => lines.insert(at, WORDS[random.usize(..WORDS.len())].to_owned()),
            3 => lines.truncate(at + 1),
            4 => lines[at] = lines[at].replace(' ', "").replace(':', " "),
            5 => {
                lines[at] = lines[at].replace(|char: char| char.is_ascii_digit(), &random.u16(..).to_string())
            }
            _ => lines[at] = one_char_changed(&lines[at], random),
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.concat()
}

fn one_char_changed(line: &str, random: &mut Rng) -> String {
    let mut chars: Vec<char> = line.chars().collect();
    let at = random.usize(..chars.len());
    chars[at] = random.char('\0'..='\u{ff}');
    chars.into_iter().collect()
}

fn flipped(datagram: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut changed = datagram.to_vec();
    for _ in 0..random.usize(1..8) {
        match random.u8(..4) {
            0 => changed.truncate(random.usize(..=changed.len())),
            1 => changed.extend((0..random.usize(..40)).map(|_| random.u8(..))),
            _ if changed.is_empty() => {}
            _ => {
                let at = random.usize(..changed.len());
                changed[at] = random.u8(..);
            }
        }
    }
    changed
}

fn own_offer(world: &mut World) -> String {
    let now = world.now;
    world.publisher().create_offer(false, now).unwrap().unwrap()
}

#[test]
fn mutated_offers_are_answered_or_refused() {
    let mut random = Rng::with_seed(11);
    let mut world = World::new(Mode::Single);
    let offer = with_more_sections(&browser_offer(&own_offer(&mut world)), 2);
    let factory = server_factory();
    let (mut answered, mut refused) = (0, 0);
    let mut peer = new_peer(Mode::Single, &factory, world.now);
    for round in 0..600 {
        // Some are first offers, most follow others.
        if round % 8 == 0 {
            peer = new_peer(Mode::Single, &factory, world.now);
        }
        match peer.accept_offer(round, &mutated(&offer, &mut random), world.now) {
            Ok(_) => answered += 1,
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
        while !matches!(peer.poll_output(), trackyard_peer::PeerOutput::Timeout(_)) {}
    }
    assert!(answered > 50 && refused > 50, "{answered} answered, {refused} refused");
}

#[test]
fn an_offer_that_contradicts_itself_costs_one_connection() {
    let mut world = World::new(Mode::Single);
    let offer = browser_offer(&own_offer(&mut world));
    // One payload type is two codecs, which str0m asserts it never is.
    let profile = "packetization-mode=0;profile-level-id=42001f";
    let contradiction = offer.replacen(profile, "packetization-mode=0;profile-level-id=42e01f", 1);
    let error = world.peer.accept_offer(1, &contradiction, world.now).unwrap_err();
    assert!(error.to_string().contains("contradicts"), "{error}");
    world.run_for(Duration::from_secs(100));
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Failed(Target::Publisher))), 1);
}

#[test]
fn mutated_answers_are_taken_or_refused() {
    let mut random = Rng::with_seed(12);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..150 {
        let mut world = World::new(Mode::Dual { subscriber_primary: true });
        let now = world.now;
        world.peer.request_offer(false, now);
        let offer = loop {
            match world.peer.poll_output() {
                trackyard_peer::PeerOutput::Event(PeerEvent::Offer { sdp, .. }) => break sdp,
                trackyard_peer::PeerOutput::Timeout(_) => panic!("no offer"),
                _ => {}
            }
        };
        let answer = world.subscriber().accept_offer(&offer, now).unwrap();
        match world.peer.accept_answer(0, &mutated(&answer, &mut random), now) {
            Ok(()) => taken += 1,
            Err(_) => refused += 1,
        }
        world.settle();
    }
    assert!(taken > 10 && refused > 10, "{taken} taken, {refused} refused");
}

#[test]
fn descriptions_beyond_the_bounds_are_refused() {
    let mut world = World::new(Mode::Single);
    let offer = own_offer(&mut world);
    let now = world.now;
    let long = format!("{offer}{}", "a=x\r\n".repeat(SDP_BYTES_MAX / 5));
    assert!(world.peer.accept_offer(1, &long, now).is_err());
    let sections = format!("{offer}{}", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n".repeat(SECTIONS_MAX));
    assert!(world.peer.accept_offer(1, &sections, now).is_err());
    assert!(world.peer.accept_offer(1, &offer, now).is_ok(), "a refused offer has changed nothing");
}

#[test]
fn an_offer_without_credentials_changes_nothing() {
    let mut world = World::new(Mode::Single);
    let offer = own_offer(&mut world);
    let now = world.now;
    for name in ["a=fingerprint", "a=ice-ufrag", "a=ice-pwd"] {
        let kept = offer.split_inclusive('\n').filter(|line| !line.starts_with(name));
        let error = world.peer.accept_offer(1, &kept.collect::<String>(), now).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let answer = world.peer.accept_offer(1, &offer, now).unwrap();
    world.publisher().accept_answer(&answer, now).unwrap();
    world.run_until(World::is_open(Target::Publisher));
}

#[test]
fn candidates_are_taken_leniently_and_garbage_is_told() {
    let mut world = World::single();
    for candidate in [
        "candidate:1 1 udp 2113937151 192.0.2.9 54400 typ host generation 0 ufrag abcd network-cost 999",
        "candidate:1 1 tcp 1518280447 192.0.2.9 9 typ host tcptype active",
        "candidate:1 1 udp 1 0c91e0c3-6a3e-4d24-8f1b-1f2f3a4b5c6d.local 54400 typ host",
        "candidate:1 1 udp 1 2001:db8::1 54400 typ srflx raddr 0.0.0.0 rport 0",
        "a=candidate:1 1 udp 1 192.0.2.9 54400 typ host",
    ] {
        assert!(world.peer.add_remote_candidate(Target::Publisher, candidate).is_ok(), "{candidate}");
        assert!(world.peer.add_remote_candidate(Target::Subscriber, candidate).is_ok(), "{candidate}");
    }
    let mut random = Rng::with_seed(13);
    for garbage in ["", "candidate:", "candidate:1 1 udp", "{}", "typ host"] {
        assert!(world.peer.add_remote_candidate(Target::Publisher, garbage).is_err(), "{garbage}");
    }
    for _ in 0..2_000 {
        let candidate = mutated("candidate:1 1 udp 2113937151 192.0.2.9 54400 typ host", &mut random);
        let now = world.now;
        let _either = world.peer.add_remote_candidate(Target::Publisher, &candidate);
        let _either = world.publisher().add_remote_candidate(&candidate);
        world.publisher().handle_timeout(now);
        world.settle();
    }
    assert!(world.client_writes(Target::Publisher, ChannelKind::Reliable, b"unharmed"));
    world.run_until(|world| world.arrived(ChannelKind::Reliable) == [&b"unharmed"[..]]);
}

#[test]
fn forged_datagrams_from_the_client_s_address_end_nothing() {
    let mut random = Rng::with_seed(14);
    let mut world = World::single();
    for round in 0..3_000_u32 {
        let message = round.to_be_bytes();
        world.forge = Some(Rng::with_seed(random.u64(..)));
        assert!(world.client_writes(Target::Publisher, ChannelKind::Reliable, &message));
        let mut garbage: Vec<u8> = (0..random.usize(..200)).map(|_| random.u8(..)).collect();
        // Every kind of packet that shares the port.
        if let Some(first) = garbage.first_mut() {
            *first = [0, 1, 20, 21, 22, 23, 63, 128, 144, 191][random.usize(..10)];
        }
        world.inject(Target::Publisher, &garbage);
        world.run_for(Duration::from_millis(11));
    }
    world.forge = None;
    let mut arrived = world.arrived(ChannelKind::Reliable).len();
    world.run_until(|world| {
        arrived += world.arrived(ChannelKind::Reliable).len();
        arrived == 3_000
    });
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Failed(_))), 0);
}

#[test]
fn a_forged_goodbye_ends_nothing() {
    let mut world = World::single();
    // DTLS 1.2 alerts in the clear: close_notify, and fatal ones.
    for (level, description) in [(1, 0), (2, 0), (2, 40), (2, 80), (1, 100)] {
        for epoch in [0, 1] {
            let alert = [21, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 99, 0, 2, level, description];
            world.inject(Target::Publisher, &alert);
            world.settle();
        }
    }
    assert!(world.client_writes(Target::Publisher, ChannelKind::Reliable, b"unharmed"));
    world.run_until(|world| world.arrived(ChannelKind::Reliable) == [&b"unharmed"[..]]);
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Failed(_))), 0);
}

#[test]
fn forged_alerts_do_not_keep_a_client_from_connecting() {
    let mut world = World::new(Mode::Single);
    world.exchange_publisher(false);
    for sequence in 0..200 {
        world.inject(Target::Publisher, &[21, 254, 253, 0, 0, 0, 0, 0, 0, 1, sequence, 0, 2, 2, 40]);
        world.run_for(Duration::from_millis(1));
    }
    assert!(world.peer.counters().malformed_datagrams > 0, "they were refused, not passed over");
    world.run_until(World::is_open(Target::Publisher));
}

#[test]
fn mutated_handshakes_never_panic() {
    for seed in 0..40 {
        let mut world = World::new(Mode::Single);
        world.forge = Some(Rng::with_seed(seed));
        world.exchange_publisher(false);
        world.run_for(Duration::from_secs(2));
    }
}

pub(crate) fn forged(datagram: &[u8], random: &mut Rng) -> Vec<u8> {
    flipped(datagram, random)
}
