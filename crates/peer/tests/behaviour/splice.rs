//! Descriptions put together from parts: a browser's offer around the connection of a test's client.

const BROWSER_OFFER: &str = include_str!("fixtures/browser_offer.sdp");
/// Sections of media in the browser's offer; the channels' comes after them.
pub(crate) const MEDIA_SECTIONS: usize = 6;

/// The first value of an attribute.
pub(crate) fn attribute<'s>(sdp: &'s str, name: &str) -> Option<&'s str> {
    let prefix = format!("a={name}:");
    sdp.lines().find_map(|line| line.strip_prefix(prefix.as_str()))
}

/// The part before the first section, then the sections.
pub(crate) fn sections(sdp: &str) -> (String, Vec<String>) {
    let mut parts = sdp.split("m=");
    let session = parts.next().unwrap_or_default().to_owned();
    (session, parts.map(|part| format!("m={part}")).collect())
}

/// What a browser would offer with the credentials of `own`, a client's offer of nothing but channels.
pub(crate) fn browser_offer(own: &str) -> String {
    let filled = ["ufrag", "pwd"].into_iter().fold(BROWSER_OFFER.to_owned(), |sdp, name| {
        sdp.replace(&format!("{{{name}}}"), attribute(own, &format!("ice-{name}")).unwrap())
    });
    let filled = filled.replace("{fingerprint}", attribute(own, "fingerprint").unwrap());
    filled.replace("{channels}", attribute(own, "mid").unwrap()).replace('\n', "\r\n")
}

/// The browser's offer with that many further video sections at its end.
pub(crate) fn with_more_sections(offer: &str, count: usize) -> String {
    let (session, mut parts) = sections(offer);
    let video = parts[MEDIA_SECTIONS - 1].clone();
    let mut session = session;
    for mid in (0..count).map(|index| (100 + index).to_string()) {
        parts.push(video.replace("a=mid:5\r\n", &format!("a=mid:{mid}\r\n")));
        let group =
            format!("a=group:BUNDLE {}", attribute(&session, "group").unwrap().replace("BUNDLE ", ""));
        session = session.replace(&group, &format!("{group} {mid}"));
    }
    session + &parts.concat()
}

/// The answer to a browser's offer as the client that only knows its channels expects it.
pub(crate) fn channels_only(answer: &str) -> String {
    let (session, parts) = sections(answer);
    let channels = parts.iter().find(|part| part.starts_with("m=application")).unwrap();
    let mid = attribute(channels, "mid").unwrap();
    let group = attribute(&session, "group").unwrap();
    let session = session.replace(group, &format!("BUNDLE {mid}"));
    let candidates = answer.lines().filter(|line| line.starts_with("a=candidate:"));
    let candidates: String = candidates.map(|line| format!("{line}\r\n")).collect();
    session + channels + &candidates
}
