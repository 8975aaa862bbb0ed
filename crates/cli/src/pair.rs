//! `KEY=VALUE`, as attributes are written.

/// Reads `KEY=VALUE`; the value may be empty.
///
/// # Errors
/// What it takes instead.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=').filter(|(key, _)| !key.is_empty());
    split
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| "it takes KEY=VALUE, such as site=north".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_parts_it() {
        let owned = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(pair("a=b"), owned("a", "b"));
        assert_eq!(pair("a=b=c"), owned("a", "b=c"));
        assert_eq!(pair("a="), owned("a", ""));
        for text in ["", "a", "=b"] {
            assert!(pair(text).is_err(), "{text}");
        }
    }
}
