//! Names under which files of others may be stored.

/// What a name may take; file systems take 255, and what is appended while it comes needs some.
const NAME_BYTES_MAX: usize = 200;
/// What of a name's end is kept where it is cut, so that programs still tell what it is.
const EXTENSION_BYTES_MAX: usize = 16;

/// A name that stays in its directory whatever the sender says: the last part of a path, without what shells, terminals
/// and file systems take for more than a name, and never hidden. Nothing if nothing is left.
pub(super) fn safe_name(sent: &str) -> Option<String> {
    let last = sent.rsplit(['/', '\\']).find(|part| !part.trim_matches(['.', ' ']).is_empty())?;
    let name: String =
        last.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
    // Where names are extended by what is behind a dot or blank, those at the end do not count.
    let name = name.trim().trim_end_matches(['.', ' ']);
    let name = match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => name.to_owned(),
    };
    Some(cut(&name))
}

/// Neither obeyed by terminals, nor turning around what follows, nor of meaning to a file system.
fn is_plain(character: char) -> bool {
    let is_format = matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !character.is_control() && !is_format && !matches!(character, '<' | '>' | ':' | '"' | '|' | '?' | '*')
}

/// At most so long, with its extension.
fn cut(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let extension = name.rfind('.').map(|at| &name[at..]).filter(|end| end.len() <= EXTENSION_BYTES_MAX);
    let extension = extension.unwrap_or_default();
    let room = NAME_BYTES_MAX - extension.len();
    let end = (0..=room).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    format!("{}{extension}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &str, expected: &str) {
        assert_eq!(safe_name(sent).as_deref(), Some(expected), "{sent:?}");
    }

    #[test]
    fn plain_names_stay() {
        for name in ["map.bin", "a b.tar.gz", "Größe 3 (2).png", "-rf", "~"] {
            check(name, name);
        }
    }

    #[test]
    fn no_name_leads_elsewhere() {
        check("../../x", "x");
        check("/etc/passwd", "passwd");
        check("..\\..\\boot.ini", "boot.ini");
        check("C:\\x", "x");
        check("a/..", "a");
        check("dir/", "dir");
        check("C:x", "C_x");
        check("\0x\n", "_x_");
    }

    #[test]
    fn no_name_hides_or_pretends() {
        check(".bashrc", "_bashrc");
        check("..config", "_.config");
        check("invoice\u{202e}gpj.exe", "invoice_gpj.exe");
        check("x.txt . .", "x.txt");
        check("\u{1b}[2J", "_[2J");
    }

    #[test]
    fn nothing_is_left_of_what_is_no_name() {
        for sent in ["", ".", "..", "...", "/", "../..", " ", "\\"] {
            assert_eq!(safe_name(sent), None, "{sent:?}");
        }
    }

    #[test]
    fn long_names_keep_their_end() {
        let name = safe_name(&format!("{}.jpeg", "ö".repeat(300))).unwrap();
        assert!(name.len() <= NAME_BYTES_MAX && name.ends_with("ö.jpeg"), "{name}");
        let name = safe_name(&format!("a.{}", "x".repeat(300))).unwrap();
        assert_eq!(name.len(), NAME_BYTES_MAX);
    }
}
