//! The program that tells the kernel a worker's socket, in classic BPF (McCanne and Jacobson 1993; Linux
//! `Documentation/networking/filter.rst`).
//!
//! It makes a key of 32 bits of the sender's address and port, and finds it in a tree of sorted keys: comparisons with
//! middles down to some tens of keys, which are then compared one by one.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use trackyard_sfu::control::WorkerId;

/// One instruction, as the kernel takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    /// How many to leave out if it is true.
    pub(crate) jt: u8,
    /// And if not.
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const ADD_X: u16 = 0x0c;
const MULTIPLY: u16 = 0x24;
const AND: u16 = 0x54;
const TO_X: u16 = 0x07;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

/// Where the network header is, in the offsets of loads (`SKF_NET_OFF`).
const NETWORK_HEADER: u32 = 0u32.wrapping_sub(0x10_0000);
const V4_SOURCE: u32 = 12;
/// Without options, which nobody sends.
const V4_PORT: u32 = 20;
const V6_SOURCE: u32 = 8;
/// Without extension headers.
const V6_PORT: u32 = 40;
/// No socket has this number: the kernel chooses.
const NONE: u32 = u32::MAX;
/// Spreads neighbouring addresses (Knuth, The Art of Computer Programming, 6.4).
const SPREAD: u32 = 0x9e37_79b1;
/// Keys that are compared one by one.
const LEAF: usize = 32;

/// What the program makes of a sender.
pub(super) fn key(from: SocketAddr) -> u32 {
    let with = |key: u32, word: u32| key.wrapping_mul(SPREAD).wrapping_add(word);
    let address = match from.ip() {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(address) => address
            .octets()
            .chunks_exact(4)
            .fold(0, |key, word| with(key, word.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)))),
    };
    with(address, from.port().into())
}

/// The program for these keys. A worker's number is that of its socket, because sockets are bound in the workers' order.
pub(crate) fn program(workers: &BTreeMap<u32, WorkerId>) -> Vec<Instruction> {
    let keys: Vec<_> = workers.iter().map(|(key, worker)| (*key, *worker)).collect();
    let mut program = Vec::new();
    find_key(&mut program);
    find_worker(&mut program, &keys);
    program
}

fn step(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

fn load(code: u16, offset: u32) -> Instruction {
    step(code, NETWORK_HEADER.wrapping_add(offset))
}

fn find_key(program: &mut Vec<Instruction>) {
    let mix = |load: Instruction| [step(MULTIPLY, SPREAD), step(TO_X, 0), load, step(ADD_X, 0)];
    let mut v4 = vec![load(LOAD_WORD, V4_SOURCE)];
    v4.extend(mix(load(LOAD_HALF, V4_PORT)));
    let mut v6 = vec![load(LOAD_WORD, V6_SOURCE)];
    v6.extend((1..4).flat_map(|word| mix(load(LOAD_WORD, V6_SOURCE + 4 * word))));
    v6.extend(mix(load(LOAD_HALF, V6_PORT)));
    v4.push(step(JUMP, jump(v6.len())));
    program.extend([load(LOAD_BYTE, 0), step(AND, 0xf0)]);
    program.push(Instruction { code: JUMP_IF_EQUAL, jt: 0, jf: offset(v4.len()), k: 0x40 });
    program.extend(v4);
    program.extend(v6);
}

fn find_worker(program: &mut Vec<Instruction>, keys: &[(u32, WorkerId)]) {
    if keys.len() <= LEAF {
        return compare(program, keys);
    }
    let (low, high) = keys.split_at(keys.len() / 2);
    program.push(Instruction { code: JUMP_IF_AT_LEAST, jt: 0, jf: 1, k: high[0].0 });
    let to_high = program.len();
    program.push(step(JUMP, 0));
    find_worker(program, low);
    program[to_high].k = jump(program.len() - to_high - 1);
    find_worker(program, high);
}

/// All comparisons, then the answer for none of them, then one for each worker.
fn compare(program: &mut Vec<Instruction>, keys: &[(u32, WorkerId)]) {
    let mut answers: Vec<WorkerId> = keys.iter().map(|(_, worker)| *worker).collect();
    answers.sort_unstable();
    answers.dedup();
    for (at, (key, worker)) in keys.iter().enumerate() {
        let answer = answers.partition_point(|other| other < worker);
        let jt = offset(keys.len() - at + answer);
        program.push(Instruction { code: JUMP_IF_EQUAL, jt, jf: 0, k: *key });
    }
    program.push(step(RETURN, NONE));
    program.extend(answers.iter().map(|worker| step(RETURN, worker.0.into())));
}

/// Within a leaf or the beginning, which are short.
fn offset(count: usize) -> u8 {
    u8::try_from(count).expect("a leaf has no more than 64 instructions")
}

fn jump(count: usize) -> u32 {
    u32::try_from(count).expect("programs are short")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine for these instructions: the socket that the kernel would take for a datagram from there.
    fn run(program: &[Instruction], from: SocketAddr) -> Option<u32> {
        let packet = packet(from);
        let (mut a, mut x, mut at) = (0u32, 0u32, 0usize);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            at += 1;
            let bytes = |count: usize| {
                let start = k.wrapping_sub(NETWORK_HEADER) as usize;
                packet[start..start + count].iter().fold(0, |word, byte| word << 8 | u32::from(*byte))
            };
            match code {
                LOAD_WORD => a = bytes(4),
                LOAD_HALF => a = bytes(2),
                LOAD_BYTE => a = bytes(1),
                ADD_X => a = a.wrapping_add(x),
                MULTIPLY => a = a.wrapping_mul(k),
                AND => a &= k,
                TO_X => x = a,
                JUMP => at += k as usize,
                JUMP_IF_EQUAL => at += usize::from(if a == k { jt } else { jf }),
                JUMP_IF_AT_LEAST => at += usize::from(if a >= k { jt } else { jf }),
                RETURN => return (k != NONE).then_some(k),
                _ => panic!("{code:#x}"),
            }
        }
    }

    fn packet(from: SocketAddr) -> Vec<u8> {
        let mut packet = match from.ip() {
            IpAddr::V4(address) => [&[0x45; 12][..], &address.octets(), &[0; 4]].concat(),
            IpAddr::V6(address) => [&[0x60; 8][..], &address.octets(), &[0; 16]].concat(),
        };
        packet.extend(from.port().to_be_bytes());
        packet
    }

    fn addresses(count: usize, random: &mut fastrand::Rng) -> Vec<SocketAddr> {
        let one = |_| {
            let (v4, v6) = (random.u32(..).to_be_bytes(), random.u128(..).to_be_bytes());
            let ip = if random.bool() { IpAddr::from(v4) } else { IpAddr::from(v6) };
            SocketAddr::new(ip, random.u16(1..))
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn each_address_is_led_to_its_worker_and_others_nowhere() {
        let mut random = fastrand::Rng::with_seed(6);
        for count in [0, 1, 31, 32, 33, 65, 500, super::super::ADDRESSES_MAX] {
            let known = addresses(count, &mut random);
            let mut workers = BTreeMap::new();
            for from in &known {
                workers.insert(key(*from), WorkerId(random.u16(..1_024)));
            }
            let program = program(&workers);
            assert!(program.len() <= 4_096, "{count}: {}", program.len());
            for from in known {
                assert_eq!(run(&program, from), Some(workers[&key(from)].0.into()), "{from}");
            }
            for from in addresses(500, &mut random) {
                let expected = workers.get(&key(from)).map(|worker| worker.0.into());
                assert_eq!(run(&program, from), expected, "{from}");
            }
        }
    }

    #[test]
    fn ports_of_one_address_have_keys_of_their_own() {
        let keys: std::collections::BTreeSet<u32> =
            (0..=u16::MAX).map(|port| key(SocketAddr::from(([192, 168, 0, 1], port)))).collect();
        assert_eq!(keys.len(), 65_536);
    }
}
