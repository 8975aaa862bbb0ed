//! Many tracks, participants and rooms. What is exact is gated exactly, times with a margin
//! for a busy machine; the figures of a release build come from `figures`.

mod participants;
mod rooms;
mod tracks;
