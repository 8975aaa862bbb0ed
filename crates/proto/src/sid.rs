//! Identifiers: a prefix and twelve characters of a base57 alphabet (protocol §12).

/// What an identifier names; decides its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SidKind {
    /// `RM_`
    Room,
    /// `PA_`
    Participant,
    /// `DTR_`
    DataTrack,
    /// `ND_`
    Node,
    /// `EV_`
    Event,
    /// `RPC_`
    Call,
}

/// Digits and letters without those that look alike (0, O, 1, I, l).
const ALPHABET: [u8; 57] = *b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

impl SidKind {
    /// What identifiers of this kind begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Room => "RM_",
            Self::Participant => "PA_",
            Self::DataTrack => "DTR_",
            Self::Node => "ND_",
            Self::Event => "EV_",
            Self::Call => "RPC_",
        }
    }

    /// Characters after the prefix.
    pub const fn length(self) -> usize {
        match self {
            Self::Node => 8,
            Self::Room | Self::Participant | Self::DataTrack | Self::Event | Self::Call => 12,
        }
    }
}

/// A new identifier. `random` returns a number below the bound it is given.
pub fn generate(kind: SidKind, mut random: impl FnMut(u32) -> u32) -> String {
    let mut character = || {
        let index = random(ALPHABET.len() as u32) as usize;
        char::from(ALPHABET[index % ALPHABET.len()])
    };
    let mut sid = String::with_capacity(kind.prefix().len() + kind.length());
    sid.push_str(kind.prefix());
    sid.extend((0..kind.length()).map(|_| character()));
    sid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: SidKind, prefix: &str, length: usize) {
        let mut state = 7_u32;
        let mut random = |bound: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % bound
        };
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let sid = generate(kind, &mut random);
            let rest = sid.strip_prefix(prefix).unwrap();
            assert_eq!(rest.len(), length, "{sid}");
            assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{sid}");
            assert!(!rest.contains(['0', 'O', '1', 'I', 'l']), "{sid}");
            seen.insert(sid);
        }
        assert_eq!(seen.len(), 1000);
    }

    #[test]
    fn every_kind_has_its_prefix_and_length() {
        check(SidKind::Room, "RM_", 12);
        check(SidKind::Participant, "PA_", 12);
        check(SidKind::DataTrack, "DTR_", 12);
        check(SidKind::Node, "ND_", 8);
        check(SidKind::Event, "EV_", 12);
        check(SidKind::Call, "RPC_", 12);
    }

    #[test]
    fn the_whole_alphabet_is_used_and_nothing_twice() {
        let mut next = 0;
        let mut characters = std::collections::BTreeSet::new();
        for _ in 0..5 {
            let sid = generate(SidKind::Room, |bound| {
                next += 1;
                (next - 1) % bound
            });
            characters.extend(sid["RM_".len()..].chars());
        }
        assert_eq!(characters.len(), 57);
    }

    #[test]
    fn a_source_that_breaks_its_bound_does_no_harm() {
        assert_eq!(generate(SidKind::Node, |bound| bound + 1), "ND_33333333");
    }
}
