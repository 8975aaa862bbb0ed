//! `data_tracks.rules`.

use trackyard_auth::NamePattern;
use trackyard_lanes::Policy;
use trackyard_sfu::room::rules::TrackRule;

use super::super::diagnostic::{Diagnostics, Place};
use super::super::scalar;
use super::super::track_rules::RuleEntry;
use super::super::yaml::{Node, Value};
use super::small;

/// Rules in one configuration.
const RULES_MAX: usize = 256;
/// Frames that wait under `queue` unless it says how many.
const FRAMES_DEFAULT: u16 = 16;

/// The rules of a tree, in order.
pub(super) fn read(root: &Node, out: &mut Diagnostics) -> Vec<RuleEntry> {
    let items = root.at("data_tracks.rules").map(Node::items).unwrap_or_default();
    if let Some(item) = items.get(RULES_MAX) {
        out.error(
            &item.place,
            format!("`data_tracks.rules` has {} rules; it takes at most {RULES_MAX}", items.len()),
        );
    }
    let rules: Vec<RuleEntry> = items.iter().take(RULES_MAX).filter_map(|item| rule(item, out)).collect();
    warn_of_shadowed(&rules, &root.place, out);
    rules
}

fn rule(item: &Node, out: &mut Diagnostics) -> Option<RuleEntry> {
    if !matches!(item.value, Value::Map(_)) {
        return None;
    }
    let rule = TrackRule {
        policy: policy(item, out),
        age_max: word(item, "age_max", scalar::duration),
        finish_max: word(item, "finish_max", scalar::duration),
        weight: word(item, "weight", small),
        max_hz: word(item, "max_hz", scalar::number),
        latch: word(item, "latch", scalar::boolean),
        ..TrackRule::new(pattern(item, "room")?, pattern(item, "tracks")?)
    };
    Some(RuleEntry { rule, line: item.place.line.unwrap_or_default() })
}

fn word<T>(item: &Node, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    item.get(name).and_then(Node::text).and_then(read)
}

/// All names, unless it says which.
fn pattern(item: &Node, name: &str) -> Option<NamePattern> {
    NamePattern::new(item.get(name).and_then(Node::text).unwrap_or("**")).ok()
}

fn policy(item: &Node, out: &mut Diagnostics) -> Option<Policy> {
    let frames: Option<u16> = word(item, "frames", small);
    let policy = match item.get("policy").and_then(Node::text) {
        Some("latest") => Some(Policy::Latest),
        Some("queue") => return Some(Policy::Queue(frames.unwrap_or(FRAMES_DEFAULT))),
        Some("auto") => Some(Policy::Auto),
        _ => None,
    };
    if let Some(node) = item.get("frames").filter(|_| frames.is_some()) {
        out.warn(&node.place, "`data_tracks.rules.frames` has no effect: the policy is not `queue`");
    }
    policy
}

/// A rule behind one that takes everything is never asked.
fn warn_of_shadowed(rules: &[RuleEntry], source: &Place, out: &mut Diagnostics) {
    let everything = rules.iter().position(|entry| {
        [&entry.rule.room, &entry.rule.tracks].iter().all(|pattern| pattern.as_str() == "**")
    });
    let Some((first, shadowed)) = everything.map(|index| (&rules[index], &rules[index + 1..])) else {
        return;
    };
    for rule in shadowed {
        out.warn(
            &source.on_line(rule.line),
            format!("this rule has no effect: the one on line {} takes every track", first.line),
        );
    }
}
