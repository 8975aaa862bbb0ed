//! `trackyard completions` and `trackyard man`.

use std::path::PathBuf;

use super::support::run;

#[test]
fn shells_complete_every_verb() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        for word in ["serve", "check-config", "echo", "json-lines", "root-certificate"] {
            assert!(ran.out.contains(word), "{word} for {shell}");
        }
    }
    assert_eq!(run(&["completions", "cmd"]).code, 2);
}

#[test]
fn manual_pages_are_there_for_every_verb() {
    let ran = run(&["man"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains(".TH trackyard 1") && ran.out.contains("check\\-config"), "{}", ran.out);

    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-man", std::process::id()));
    assert_eq!(run(&["man", "--out", directory.to_str().unwrap()]).code, 0);
    for page in ["trackyard", "trackyard-serve", "trackyard-token-create", "trackyard-track-echo"] {
        let text = std::fs::read_to_string(directory.join(format!("{page}.1"))).unwrap();
        assert!(text.contains("Examples") || page == "trackyard-token", "{page}");
    }
    std::fs::remove_dir_all(directory).unwrap();
}
