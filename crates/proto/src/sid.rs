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
}
