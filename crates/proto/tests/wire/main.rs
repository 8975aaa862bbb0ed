//! The wire as official clients and servers see it: golden messages built from the generated types
//! alone, every arm, both encodings, limits, and decoders under mutation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod api;
mod arms;
mod golden;
mod join;
mod json;
mod limits;
mod mutation;
mod overlay;
mod packet;
mod relay;
mod round_trip;
mod samples;
mod webhook;
