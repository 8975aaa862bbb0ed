//! Relays against coturn.
