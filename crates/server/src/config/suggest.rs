//! The known key that was probably meant.

use super::schema::{Key, TOP, each_word, join};

/// What was probably meant by an unknown key of a section: a key that looks like it or begins like it,
/// here or, under the same name, elsewhere.
pub(super) fn suggest(unknown: &str, prefix: &str, keys: &[Key]) -> Option<String> {
    let names = || keys.iter().map(|key| key.name);
    let here = nearest(unknown, names()).or_else(|| names().find(|name| begins_with(name, unknown)));
    here.map(|name| join(prefix, name)).or_else(|| elsewhere(unknown))
}

/// One of the two is the other with more words behind it.
fn begins_with(name: &str, unknown: &str) -> bool {
    let longer = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('_'));
    !unknown.is_empty() && (longer(name, unknown) || longer(unknown, name))
}

fn elsewhere(unknown: &str) -> Option<String> {
    let mut found = nearest(unknown, TOP.iter().map(|key| key.name)).map(str::to_owned);
    each_word(&mut |path, _| {
        let name = path.rsplit('.').next().unwrap_or(path);
        if found.is_none() && distance(unknown, name) <= 1 {
            found = Some(path.to_owned());
        }
    });
    found
}

/// The name that takes the fewest changes, if it takes few for its length.
pub(super) fn nearest<'a>(unknown: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (unknown.len() / 3).clamp(1, 4);
    let (changes, name) =
        names.map(|name| (distance(unknown, name), name)).min_by_key(|(changes, _)| *changes)?;
    (changes <= allowed).then_some(name)
}

/// Letters to insert, leave out, replace or swap with their neighbour. Long words are not compared.
fn distance(a: &str, b: &str) -> usize {
    const LETTERS_MAX: usize = 64;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(LETTERS_MAX + 1).collect(), b.chars().collect());
    if a.len() > LETTERS_MAX {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            let swap = if swapped { rows[i - 2][j - 2] + 1 } else { usize::MAX };
            row.push(replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1).min(swap));
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_changes_and_swaps() {
        assert_eq!(distance("udp_prot", "udp_port"), 1);
        assert_eq!(distance("port", "port"), 0);
        assert_eq!(distance("", "port"), 4);
        assert_eq!(distance("prt", "port"), 1);
        assert_eq!(distance(&"x".repeat(1000), "port"), usize::MAX);
    }

    #[test]
    fn a_key_is_found_here_first_and_then_elsewhere() {
        assert_eq!(suggest("prot", "", TOP).as_deref(), Some("port"));
        assert_eq!(suggest("udp_port", "", TOP).as_deref(), Some("rtc.udp_port"));
        assert_eq!(suggest("key", "room", &[]).as_deref(), Some("keys"));
        assert_eq!(suggest("debug_handler_port", "", TOP).as_deref(), Some("debug_handler"));
        assert_eq!(suggest("quite_something_else", "", TOP), None);
    }
}
