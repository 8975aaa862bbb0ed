//! What findings mean to whoever has to mend them.

mod connection;
mod network;
mod paths;
mod time;
mod tls;
mod token;

pub(super) use connection::{connection, echo_error, echo_lost, echo_repeated, relay, signalling};
pub(super) use network::{dns, tcp, tcp_in_part};
pub(super) use paths::{Paths, path_problem, path_warnings, probe, probe_facts, route, route_facts};
pub(super) use tls::{tls_facts, tls_line, tls_problem, tls_warning};
pub(super) use token::{clock_warning, said, token_accepted, token_facts, token_refused, token_unanswered};
