//! The ratchet, its window, and when a key is given up.

use trackyard_track::e2ee::{
    FAILURE_TOLERANCE_JS, FrameDecryptor, Key, KeyError, KeyOptions, PUBLISHERS_MAX, RATCHET_WINDOW_MAX,
};
use trackyard_track::{CipherError, Decryptor};

use crate::vocabulary::{key, receiver, seal, sender, window};

const WRONG: CipherError = CipherError::WrongKey { key_index: 0 };
const GIVEN_UP: CipherError = CipherError::KeyGivenUp { key_index: 0 };

fn ahead(key: &Key, steps: u8) -> Key {
    (0..steps).fold(key.clone(), |key, _| key.ratcheted().unwrap())
}

fn opens(bob: &mut FrameDecryptor, publisher: &str, key: &Key) -> Result<(), CipherError> {
    let (sealed, encryption) = seal(&mut sender(publisher, key), b"hi");
    bob.decrypt(publisher, &encryption, &sealed).map(|payload| assert_eq!(payload, b"hi"))
}

#[test]
fn a_ratchet_within_the_window_is_followed_and_one_beyond_is_not() {
    let key = key("secret");
    for steps in 0..=8 {
        let mut bob = receiver(&key, window(8));
        assert_eq!(opens(&mut bob, "alice", &ahead(&key, steps)), Ok(()), "{steps} steps");
        assert_eq!(bob.stats().ratcheted, u64::from(steps > 0), "{steps} steps");
    }
    assert_eq!(opens(&mut receiver(&key, window(8)), "alice", &ahead(&key, 9)), Err(WRONG));
}

#[test]
fn no_window_is_wider_than_the_bound() {
    let key = key("secret");
    let most = ahead(&key, RATCHET_WINDOW_MAX);
    assert_eq!(opens(&mut receiver(&key, window(u8::MAX)), "alice", &most), Ok(()));
    let beyond = most.ratcheted().unwrap();
    assert_eq!(opens(&mut receiver(&key, window(u8::MAX)), "alice", &beyond), Err(WRONG));
}

#[test]
fn a_window_of_none_follows_nothing() {
    let key = key("secret");
    let mut bob = receiver(&key, window(0));
    assert_eq!(opens(&mut bob, "alice", &ahead(&key, 1)), Err(WRONG));
    assert_eq!(opens(&mut bob, "alice", &key), Ok(()));
}

#[test]
fn frames_that_fail_leave_the_key_where_it_is() {
    let mine = key("secret");
    let mut bob = receiver(&mine, window(8));
    for _ in 0..20 {
        assert_eq!(opens(&mut bob, "alice", &key("another")), Err(WRONG));
    }
    assert_eq!(opens(&mut bob, "alice", &mine), Ok(()));
    assert_eq!(bob.stats().ratcheted, 0);
}

#[test]
fn a_chain_is_followed_step_by_step_and_never_back() {
    let key = key("secret");
    let mut bob = receiver(&key, window(2));
    for steps in [1, 3, 5, 6] {
        assert_eq!(opens(&mut bob, "alice", &ahead(&key, steps)), Ok(()), "{steps} steps");
    }
    assert_eq!(opens(&mut bob, "alice", &ahead(&key, 5)), Err(WRONG));
    assert_eq!(bob.stats().ratcheted, 4);
}

#[test]
fn a_publisher_that_ratchets_a_shared_key_does_so_for_itself() {
    let key = key("shared");
    let mut bob = receiver(&key, window(4));
    assert_eq!(opens(&mut bob, "alice", &ahead(&key, 4)), Ok(()));
    assert_eq!(opens(&mut bob, "alice", &key), Err(WRONG));
    assert_eq!(opens(&mut bob, "carol", &key), Ok(()));
    // A shared key that is set again is set for all.
    bob.set_shared_key(0, &key).unwrap();
    assert_eq!(opens(&mut bob, "alice", &key), Ok(()));
}

#[test]
fn ratcheting_by_hand_is_for_everyone_who_shares_the_key() {
    let key = key("shared");
    let mut alice = sender("alice", &key);
    let mut bob = receiver(&key, window(0));
    let secret = alice.ratchet(0).unwrap();
    assert_eq!(bob.ratchet_shared(0).unwrap(), secret);
    assert_eq!(secret, *ahead(&key, 1).secret());
    for publisher in ["alice", "carol"] {
        assert_eq!(opens(&mut bob, publisher, &ahead(&key, 1)), Ok(()));
    }
    let (sealed, encryption) = seal(&mut alice, b"hi");
    assert_eq!(bob.decrypt("alice", &encryption, &sealed).as_deref(), Ok(&b"hi"[..]));
}

#[test]
fn ratcheting_by_hand_brings_everyone_to_the_same_key() {
    let key = key("shared");
    let mut bob = receiver(&key, window(3));
    assert_eq!(opens(&mut bob, "alice", &ahead(&key, 3)), Ok(()));
    bob.ratchet_shared(0).unwrap();
    for publisher in ["alice", "carol"] {
        assert_eq!(opens(&mut bob, publisher, &ahead(&key, 1)), Ok(()), "{publisher}");
    }
}

#[test]
fn what_is_not_there_is_not_ratcheted() {
    let absent = Err(KeyError::NoKey { index: 5 });
    assert_eq!(sender("alice", &key("secret")).ratchet(5), absent);
    let mut bob = receiver(&key("secret"), window(8));
    assert_eq!(bob.ratchet_shared(5), absent);
    assert_eq!(bob.ratchet("alice", 5), absent);
}

fn tolerant(failure_tolerance: u32) -> KeyOptions {
    KeyOptions { failure_tolerance: Some(failure_tolerance), ..window(0) }
}

#[test]
fn a_key_is_given_up_after_more_failures_than_are_tolerated() {
    let mine = key("secret");
    let mut bob = receiver(&mine, tolerant(FAILURE_TOLERANCE_JS));
    for _ in 0..=FAILURE_TOLERANCE_JS {
        assert_eq!(opens(&mut bob, "alice", &key("another")), Err(WRONG));
    }
    assert_eq!(opens(&mut bob, "alice", &mine), Err(GIVEN_UP));
    // What one publisher fails with says nothing of the others, nor of who comes after it.
    assert_eq!(opens(&mut bob, "carol", &mine), Ok(()));
    bob.forget("alice");
    assert_eq!(opens(&mut bob, "alice", &mine), Ok(()));
    for _ in 0..=FAILURE_TOLERANCE_JS {
        assert_eq!(opens(&mut bob, "alice", &key("another")), Err(WRONG));
    }
    assert_eq!(opens(&mut bob, "alice", &mine), Err(GIVEN_UP));
    bob.set_shared_key(0, &mine).unwrap();
    assert_eq!(opens(&mut bob, "alice", &mine), Ok(()));
    let stats = bob.stats();
    assert_eq!((stats.wrong_key, stats.given_up, stats.decrypted), (22, 2, 3));
}

#[test]
fn a_frame_that_is_opened_ends_a_row_of_failures() {
    let mine = key("secret");
    let mut bob = receiver(&mine, tolerant(2));
    for _ in 0..10 {
        assert_eq!(opens(&mut bob, "alice", &key("another")), Err(WRONG));
        assert_eq!(opens(&mut bob, "alice", &key("another")), Err(WRONG));
        assert_eq!(opens(&mut bob, "alice", &mine), Ok(()));
    }
}

#[test]
fn a_key_of_ones_own_that_is_set_or_ratcheted_is_tried_again() {
    let mine = key("secret");
    for ratchets in [false, true] {
        let mut bob = FrameDecryptor::new(tolerant(0));
        bob.set_key("alice", 0, mine.clone()).unwrap();
        assert_eq!(opens(&mut bob, "alice", &key("another")), Err(WRONG));
        assert_eq!(opens(&mut bob, "alice", &mine), Err(GIVEN_UP));
        if ratchets {
            bob.ratchet("alice", 0).unwrap();
        } else {
            bob.set_key("alice", 0, mine.clone()).unwrap();
        }
        assert_eq!(opens(&mut bob, "alice", &ahead(&mine, ratchets.into())), Ok(()));
    }
}

#[test]
fn publishers_beyond_the_bound_are_served_and_not_kept() {
    let key = key("shared");
    let next = ahead(&key, 1);
    let (sealed, encryption) = seal(&mut sender("anyone", &next), b"hi");
    let mut bob = receiver(&key, window(1));
    for publisher in 0..PUBLISHERS_MAX + 5 {
        let opened = bob.decrypt(&format!("p{publisher}"), &encryption, &sealed);
        assert_eq!(opened.as_deref(), Ok(&b"hi"[..]));
    }
    assert_eq!(bob.stats().untracked, 5);
    // One that is kept has moved on; one that is not is still where everyone began.
    assert_eq!(opens(&mut bob, "p0", &key), Err(WRONG));
    assert_eq!(opens(&mut bob, &format!("p{PUBLISHERS_MAX}"), &key), Ok(()));
    bob.forget("p0");
    assert_eq!(opens(&mut bob, "p0", &key), Ok(()));
}

#[test]
fn failures_beyond_the_bound_are_counted_and_not_kept() {
    let mine = key("secret");
    let (sealed, encryption) = seal(&mut sender("anyone", &key("another")), b"hi");
    let mut bob = receiver(&mine, tolerant(0));
    for publisher in 0..PUBLISHERS_MAX + 5 {
        assert_eq!(bob.decrypt(&format!("p{publisher}"), &encryption, &sealed), Err(WRONG));
    }
    assert_eq!(bob.stats().untracked, 5);
    assert_eq!(opens(&mut bob, "p0", &mine), Err(GIVEN_UP));
    assert_eq!(opens(&mut bob, &format!("p{PUBLISHERS_MAX}"), &mine), Ok(()));
}
