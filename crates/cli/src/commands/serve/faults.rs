//! Faults that whoever has started the server orders on its standard input, one on each line:
//! `clock SECONDS` sets the time of day off by so many seconds, `worker NUMBER` has a worker die.
//!
//! The end of the input stops the server, so that it never outlives the program that tests it.

use std::io::{self, BufRead};
use std::thread;

use tracing::{error, warn};
use trackyard_server::Faults;

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Sets the time of day off by so many seconds.
    Clock(i64),
    /// Has a worker die.
    Worker(u16),
}

/// Does what standard input says until it ends, on a thread of its own: a read waits for as long as it takes.
pub(super) fn obey(faults: Faults) {
    let stop = faults.clone();
    let obeying = thread::Builder::new().name("faults".to_owned()).spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            match Order::parse(&line) {
                Some(order) => order.carry_out(&faults),
                None => error!(line, "this is no fault"),
            }
        }
        faults.stop();
    });
    if let Err(error) = obeying {
        error!(%error, "faults cannot be listened to");
        stop.stop();
    }
}

impl Order {
    fn parse(line: &str) -> Option<Self> {
        let (name, value) = line.trim().split_once(' ')?;
        match name {
            "clock" => value.parse().ok().map(Self::Clock),
            "worker" => value.parse().ok().map(Self::Worker),
            _ => None,
        }
    }

    fn carry_out(self, faults: &Faults) {
        warn!(fault = ?self, "a fault was ordered");
        match self {
            Self::Clock(seconds) => faults.set_clock_off_by(seconds),
            Self::Worker(worker) => faults.kill_worker(worker),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_word_and_a_number() {
        let check = |line: &str, expected: Option<Order>| assert_eq!(Order::parse(line), expected, "{line}");
        check("clock 3600", Some(Order::Clock(3_600)));
        check("clock -3600\r", Some(Order::Clock(-3_600)));
        check("worker 1", Some(Order::Worker(1)));
        for none in ["", "worker -1", "clock", "clock soon", "stop 1"] {
            check(none, None);
        }
    }
}
