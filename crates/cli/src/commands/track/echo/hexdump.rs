//! Bytes in hex, beside the text they may be.

use std::fmt::Write;

const ROW_BYTES: usize = 16;

/// The bytes in hex, without anything between.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        push(&mut text, *byte);
    }
    text
}

/// Rows of an offset, bytes in hex, and their printable characters.
pub(super) fn hexdump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (row, bytes) in bytes.chunks(ROW_BYTES).enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{:08x} ", row * ROW_BYTES);
        for place in 0..ROW_BYTES {
            text.push_str(if place == ROW_BYTES / 2 { "  " } else { " " });
            match bytes.get(place) {
                Some(byte) => push(&mut text, *byte),
                None => text.push_str("  "),
            }
        }
        let shown =
            |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
        text.push_str("  |");
        text.extend(bytes.iter().map(shown));
        text.push_str("|\n");
    }
    text
}

fn push(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 0xf] {
        text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_sixteen_bytes() {
        assert_eq!(hexdump(b""), "");
        let expected = "\
00000000  41 42 43 00 00 00 00 00  00 00 00 00 00 00 00 00  |ABC.............|
00000010  1b 7c                                             |.||
";
        let mut bytes = [0; 18];
        bytes[..3].copy_from_slice(b"ABC");
        bytes[16..].copy_from_slice(b"\x1b|");
        assert_eq!(hexdump(&bytes), expected);
        assert_eq!(hex(&[0, 0x7f, 0xff]), "007fff");
    }
}
