//! Reliable packets between clients of ours: whatever breaks on the way, nothing is lost, nothing comes twice, and
//! the order stays (protocol §6.2).

use std::time::Duration;

use trackyard_proto::packet::UserPacket;
use trackyard_proto::{DataPacket, PacketKind, PacketValue};
use trackyard_session::{
    EngineEvent, Flow, OutgoingPacket, PacketEvent, SendError, SessionConfig, SessionEvent, SignalVersion,
    Urgency,
};
use trackyard_sim::world::{ClientId, NodeConfig, Str0mRealm};
use trackyard_sim::{GuestEvent, MixedWorld};

use crate::figures::figure;
use crate::support::{PATIENCE, begin, path, seat, sees};

const VERSIONS: [SignalVersion; 2] = [SignalVersion::V1, SignalVersion::V0];
const PACKETS: u32 = 1_000;

/// What happens to the sender's or the receiver's way while packets flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The signal connection breaks.
    Signal,
    /// Nothing gets through for so many seconds, and the signal connection breaks with it.
    Path(u64),
}

struct Stage {
    world: MixedWorld<Str0mRealm>,
    sender: ClientId,
    receiver: ClientId,
    /// The numbers that have come, in their order.
    got: Vec<u32>,
    /// Packets that nobody knows of whether they have arrived.
    unconfirmed: Vec<u32>,
}

impl Stage {
    fn new(version: SignalVersion, loss: f64, seed: u64) -> Self {
        let mut world = MixedWorld::with_inhabitants(Str0mRealm::new(begin()), NodeConfig::default(), seed);
        let [sender, receiver] = ["sender", "receiver"].map(|identity| {
            let mut config = seat(identity, true);
            path(&mut config, Duration::from_millis(40), None);
            (config.up.loss, config.down.loss) = (loss, loss);
            let client = world.connect(config, SessionConfig { version, ..SessionConfig::default() });
            sees(&mut world, client, PATIENCE, |event| is_up(event).then_some(()));
            client
        });
        Self { world, sender, receiver, got: Vec::new(), unconfirmed: Vec::new() }
    }

    fn send(&mut self, number: u32, urgency: Urgency, bytes: usize) -> Result<(), SendError> {
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(bytes, 7);
        let user = UserPacket { payload: payload.into(), ..UserPacket::default() };
        let packet = PacketValue::User(user).reliable(Vec::new());
        let packet = OutgoingPacket { packet, flow: Flow(u64::from(bytes > 1_000)), urgency };
        let sent = self.world.with(self.sender, |guest, now| guest.session().send_packet(packet, now));
        sent.map(drop)
    }

    /// Sends all packets, 2 ms apart, and does something in the middle.
    fn stream(&mut self, bytes: usize, trouble: impl Fn(&mut Self, u32)) {
        for number in 0..PACKETS {
            self.send(number, Urgency::Normal, bytes).expect("there is room");
            trouble(self, number);
            self.world.run_for(Duration::from_millis(2));
        }
    }

    fn trouble(&mut self, client: ClientId, trouble: Trouble) {
        match trouble {
            Trouble::Signal => self.world.break_signal(client),
            Trouble::Path(seconds) => {
                self.world.seat(client).set_reachable(false);
                self.world.break_signal(client);
                self.world.run_for(Duration::from_secs(seconds));
                self.world.seat(client).set_reachable(true);
            }
        }
    }

    /// Notes what has come.
    fn look(&mut self) {
        for (_, event) in self.world.events(self.receiver) {
            if let GuestEvent::Ours(SessionEvent::Packet(PacketEvent::Received { packet, .. })) = event {
                self.got.push(number(&packet));
            }
        }
        for (_, event) in self.world.events(self.sender) {
            if let GuestEvent::Ours(SessionEvent::Packet(PacketEvent::Unconfirmed(packets))) = event {
                self.unconfirmed.push(u32::try_from(packets.len()).expect("few are under way"));
            }
        }
    }

    /// Waits until the last packet is there, and a little longer.
    fn settle(&mut self) {
        let last = Some(PACKETS - 1);
        for _ in 0..600 {
            self.world.run_for(Duration::from_millis(200));
            self.look();
            if self.got.last().copied() == last {
                break;
            }
        }
        self.world.run_for(Duration::from_secs(1));
        self.look();
    }
}

fn is_up(event: &GuestEvent) -> bool {
    use EngineEvent::{Connected, Reconnected};
    matches!(event, GuestEvent::Ours(SessionEvent::Engine(Connected | Reconnected { .. })))
}

fn number(packet: &DataPacket) -> u32 {
    assert_eq!((packet.kind, packet.participant_identity.as_str()), (PacketKind::Reliable, "sender"));
    assert!(packet.participant_sid.starts_with("PA_"), "{packet:?}");
    let PacketValue::User(user) = &packet.value else { panic!("{packet:?}") };
    u32::from_be_bytes(user.payload[..4].try_into().expect("four bytes"))
}

#[test]
fn a_resume_in_the_middle_loses_nothing_repeats_nothing_and_keeps_the_order() {
    let troubles = [Trouble::Signal, Trouble::Path(5)];
    for (seed, version) in VERSIONS.into_iter().enumerate() {
        for trouble in troubles {
            for loss in [0.0, 0.02] {
                for is_sender in [true, false] {
                    let mut stage = Stage::new(version, loss, seed as u64);
                    let client = if is_sender { stage.sender } else { stage.receiver };
                    stage.stream(100, |stage, number| {
                        if number % 400 == 300 {
                            stage.trouble(client, trouble);
                        }
                    });
                    stage.settle();
                    let case = format!("{version:?} {trouble:?} loss {loss} sender {is_sender}");
                    assert!(stage.got.iter().copied().eq(0..PACKETS), "{case}: {:?}", stage.got);
                    assert!(stage.unconfirmed.is_empty(), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_new_session_sends_what_waits_and_says_how_much_is_unconfirmed() {
    for version in VERSIONS {
        let mut stage = Stage::new(version, 0.02, 7);
        let sender = stage.sender;
        stage.stream(2_000, |stage, number| {
            if number == 500 {
                stage.world.seat(sender).set_reachable(false);
                stage.world.break_signal(sender);
            }
        });
        stage.world.run_for(Duration::from_secs(40));
        stage.world.seat(sender).set_reachable(true);
        stage.settle();
        assert!(stage.got.is_sorted_by(|one, other| one < other), "{version:?}: {:?}", stage.got);
        let missing = PACKETS - u32::try_from(stage.got.len()).unwrap();
        let unconfirmed: u32 = stage.unconfirmed.iter().sum();
        figure(
            format!("packets over a new session, {version:?}: lost, unconfirmed"),
            format!("{missing} {unconfirmed}"),
        );
        assert!(
            missing <= unconfirmed,
            "{version:?}: {missing} are missing, {unconfirmed} are said to be unknown"
        );
        assert!(unconfirmed < PACKETS / 2, "most have waited: {unconfirmed}");
        assert_eq!(stage.got.last(), Some(&(PACKETS - 1)));
    }
}

#[test]
fn an_urgent_packet_overtakes_megabytes() {
    let mut stage = Stage::new(SignalVersion::V1, 0.0, 3);
    for client in [stage.sender, stage.receiver] {
        let seat = stage.world.seat(client);
        let slow = trackyard_sim::link::LinkConfig {
            delay: Duration::from_millis(20),
            rate_bps: Some(10_000_000),
            ..Default::default()
        };
        seat.up().set_config(slow);
        seat.down().set_config(slow);
    }
    for number in 0..400 {
        stage.send(number, Urgency::Normal, 15_000).expect("6 MB may wait");
    }
    stage.world.run_for(Duration::from_secs(1));
    stage.look();
    let before = stage.got.len();
    assert!((10..200).contains(&before), "the stream is under way: {before}");
    stage.send(9_999, Urgency::Urgent, 100).expect("there is room");
    let sent = stage.world.now();
    let arrived = stage.world.run_until(PATIENCE, |world| {
        let events = world.events(stage.receiver);
        events.iter().any(|(_, event)| match event {
            GuestEvent::Ours(SessionEvent::Packet(PacketEvent::Received { packet, .. })) => {
                number(packet) == 9_999
            }
            _ => false,
        })
    });
    let took = stage.world.now() - sent;
    figure("urgent packet beside 6 MB of the same sender at 10 Mbit/s".to_owned(), format!("{took:?}"));
    assert!(arrived && took < Duration::from_millis(250), "{took:?}");
}
