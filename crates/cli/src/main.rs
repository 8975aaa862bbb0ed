//! The `trackyard` command.
fn main() {}
