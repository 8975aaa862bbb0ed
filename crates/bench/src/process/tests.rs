//! Texts as kernels write them, odd names, and texts that no kernel writes.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// A line of `/proc/<pid>/stat` with that command's name and these CPU times.
fn stat(command: &str, user: u64, system: u64) -> String {
    format!(
        "4217 ({command}) S 1 4217 4217 0 -1 4194560 9001 0 12 0 {user} {system} 3 4 20 0 7 0 \
         998877 123456789 5120 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0\n"
    )
}

const STATUS: &str = "Name:\tserver\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t4217\nVmPeak:\t  900000 kB\n\
    VmHWM:\t   50000 kB\nVmRSS:\t   48128 kB\nThreads:\t7\n";

const ROLLUP: &str = "55d0c0de0000-7ffd00000000 ---p 00000000 00:00 0                 [rollup]\n\
    Rss:               48200 kB\nPss:               47000 kB\nPss_Anon:          40000 kB\nShared_Clean:       1200 kB\n";

const MACHINE: &str = "cpu  1000 20 300 40000 50 6 7 8 9 0\ncpu0 500 10 150 20000 25 3 3 4 0 0\nintr 1\n";

#[test]
fn fields_are_found_behind_every_name() {
    for command in ["server", "a b", ") (", "(((", ")))", ") S 1 1", "tmux: server", "", "x\n(1) R 2"] {
        let parsed = ProcessStat::parse(&stat(command, 150, 50)).unwrap();
        let expected = ProcessStat {
            pid: 4217,
            command: command.to_owned(),
            user_ticks: 150,
            system_ticks: 50,
            threads: 7,
            start_ticks: 998_877,
        };
        assert_eq!(parsed, expected, "{command:?}");
    }
}

#[test]
fn memory_is_read_from_either_file() {
    let status = Memory::parse_status(STATUS).unwrap();
    let expected = Memory { rss_bytes: 48_128 << 10, rss_peak_bytes: Some(50_000 << 10), pss_bytes: None };
    assert_eq!(status, expected);
    let rollup = Memory::parse_smaps_rollup(ROLLUP).unwrap();
    let expected = Memory { rss_bytes: 48_200 << 10, rss_peak_bytes: None, pss_bytes: Some(47_000 << 10) };
    assert_eq!(rollup, expected);
    let kernel_thread = "Name:\tkworker/0:1\nThreads:\t1\n";
    assert_eq!(Memory::parse_status(kernel_thread), Err(ProcError::Missing { field: "VmRSS" }));
    assert_eq!(Memory::parse_status("VmRSS:\t12 MB"), Err(ProcError::Number { field: "VmRSS" }));
    assert_eq!(Memory::parse_status("VmRSS:\tkB"), Err(ProcError::Number { field: "VmRSS" }));
}

#[test]
fn what_no_kernel_writes_is_refused() {
    let missing = |field| Err(ProcError::Missing { field });
    assert_eq!(ProcessStat::parse(""), missing("command"));
    assert_eq!(ProcessStat::parse("1 (x"), missing("command"));
    assert_eq!(ProcessStat::parse("1 (x) S 1 2 3"), missing("user time"));
    assert_eq!(ProcessStat::parse("me (x) S"), Err(ProcError::Number { field: "pid" }));
    let negative = stat("x", 0, 0).replace(" 0 0 3 4 ", " -1 0 3 4 ");
    assert_eq!(ProcessStat::parse(&negative), Err(ProcError::Number { field: "user time" }));
    assert_eq!(ProcessStat::parse(&" ".repeat(TEXT_BYTES_MAX + 1)), Err(ProcError::TooLong));
    assert_eq!(MachineTicks::parse("cpu0 1 2 3"), Err(ProcError::Missing { field: "cpu line" }));
    assert_eq!(MachineTicks::parse("cpu  1 2 3"), Err(ProcError::Missing { field: "idle time" }));
}

fn sample(at_ms: u64, user: u64, rss_bytes: u64) -> Sample {
    Sample {
        at: Duration::from_millis(at_ms),
        stat: ProcessStat::parse(&stat("x", user, 50)).unwrap(),
        memory: Memory { rss_bytes, ..Memory::default() },
    }
}

#[test]
fn usage_is_the_difference() {
    let usage = Usage::between(&sample(1_000, 100, 5_000), &sample(11_000, 300, 4_000), 100).unwrap();
    assert_eq!((usage.cpu, usage.wall), (Duration::from_secs(2), Duration::from_secs(10)));
    assert_eq!((usage.cores, usage.rss_bytes, usage.rss_growth_bytes), (0.2, 4_000, -1_000));
    assert_eq!(usage.cpu_us_per_frame(10_000), Some(200.0));
    assert_eq!(usage.cpu_us_per_frame(0), None);
    let machine = MachineTicks::parse(MACHINE).unwrap();
    assert_eq!(machine, MachineTicks { busy: 1_341, idle: 40_050 });
    let later = MachineTicks { busy: machine.busy + 1_000, ..machine };
    let others = MachineUsage::between((machine, later), usage.wall, 100, &[usage]).unwrap();
    assert_eq!((others.busy_cores, others.other_cores), (1.0, 0.8));
}

#[test]
fn samples_that_do_not_belong_together_are_refused() {
    let (first, second) = (sample(0, 100, 0), sample(1_000, 300, 0));
    let between = |first, second, ticks| Usage::between(first, second, ticks).unwrap_err();
    let mut other = second.clone();
    other.stat.start_ticks += 1;
    assert_eq!(between(&first, &other, 100), UsageError::Replaced);
    assert_eq!(between(&second, &first, 100), UsageError::Order);
    assert_eq!(between(&first, &first, 100), UsageError::Order);
    assert_eq!(between(&first, &second, 0), UsageError::Ticks);
}

proptest! {
    #[test]
    fn hostile_text_never_panics(text in ".{0,200}", fields in "[0-9 ()-]{0,200}") {
        for text in [&text, &fields, &format!("1 ({text}) {fields}"), &format!("VmRSS:{fields}kB\nRss:{text}")] {
            let _ = (ProcessStat::parse(text), Memory::parse_status(text));
            let _ = (Memory::parse_smaps_rollup(text), MachineTicks::parse(text));
        }
    }

    #[test]
    fn any_name_of_a_process_is_kept(name in "[\\PC() ]{0,15}") {
        prop_assert_eq!(ProcessStat::parse(&stat(&name, 7, 8)).map(|stat| stat.command), Ok(name));
    }
}
