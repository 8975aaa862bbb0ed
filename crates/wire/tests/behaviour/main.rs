//! How packets behave on random and hostile input, and beside the official client.

mod differential;
mod hostile;
mod official;
mod round_trip;
