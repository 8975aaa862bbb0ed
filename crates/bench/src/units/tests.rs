//! What is understood, what is refused and how.

use super::*;

#[test]
fn sizes_are_read() {
    let sizes = [("64B", 64), ("75KiB", 76_800), ("1MiB", 1_048_576), ("1MB", 1_000_000), ("1000", 1_000)];
    for (text, expected) in sizes.into_iter().chain([("0.5KiB", 512), (" 16 KiB ", 16_384), ("2k", 2_048)]) {
        assert_eq!(bytes(text), Ok(expected), "{text}");
    }
}

#[test]
fn durations_are_read_with_more_than_one_unit() {
    let ms = Duration::from_millis;
    for (text, expected) in [
        ("30s", ms(30_000)),
        ("500ms", ms(500)),
        ("1m30s", ms(90_000)),
        ("1.5s", ms(1_500)),
        ("2", ms(2_000)),
    ] {
        assert_eq!(duration(text), Ok(expected), "{text}");
    }
    assert_eq!(duration("250µs"), Ok(Duration::from_micros(250)));
    assert_eq!(duration("1h 5min"), Ok(Duration::from_secs(3_900)));
}

#[test]
fn rates_and_shares_are_read() {
    for (text, expected) in [("100Hz", 100_000), ("1kHz", 1_000_000), ("29.97", 29_970), ("0.5 fps", 500)] {
        assert_eq!(text.parse::<Rate>().map(Rate::millihertz), Ok(expected), "{text}");
    }
    assert_eq!(bit_rate("5mbit"), Ok(5_000_000));
    assert_eq!(bit_rate("1.5 Mbit/s"), Ok(1_500_000));
    assert_eq!((share("1%"), share("0.25"), share("100%")), (Ok(0.01), Ok(0.25), Ok(1.0)));
}

#[test]
fn what_is_wrong_says_how_it_is_mended() {
    let message = |error: UnitError| error.to_string();
    assert_eq!(
        message(bytes("big").unwrap_err()),
        "`big` does not begin with a number; write it like 64B, 75KiB or 1MiB"
    );
    assert_eq!(message(bytes("1.5B").unwrap_err()), "`1.5B` is no whole number of bytes");
    assert_eq!(
        message("100rpm".parse::<Rate>().unwrap_err()),
        "`rpm` is no unit here; use one of hz, khz, fps, /s"
    );
    assert_eq!(message(share("101%").unwrap_err()), "`101%` is out of range; from 0% to 100%");
    assert_eq!(message("0Hz".parse::<Rate>().unwrap_err()), "`0Hz` is out of range; more than nothing");
}

#[test]
fn hostile_text_is_refused() {
    for text in
        ["", ".", "..", "1..2B", "-1B", "1e9B", "∞", "1B2B", "B", "99999999999999999999B", "1.0000000001s"]
    {
        assert!(bytes(text).is_err(), "{text}");
    }
    for text in ["", "s", "1s s", "-1s", "NaN", "999999999999999999h"] {
        assert!(duration(text).is_err(), "{text}");
    }
    assert!(bit_rate("0").is_err());
}

#[test]
fn what_is_written_is_read_back() {
    for size in [0, 1, 64, 1_000, 1_024, 76_800, 1_048_576, 2_000_000] {
        assert_eq!(bytes(&format_bytes(size)), Ok(size));
    }
    let rate: Rate = "29.97Hz".parse().unwrap();
    assert_eq!(rate.to_string().parse(), Ok(rate));
}

#[test]
fn events_are_counted_as_they_are_due() {
    for millihertz in [1, 333, 29_970, 100_000, 999_999, 100_000_000] {
        let rate = Rate::from_millihertz(millihertz).unwrap();
        for end in [1, 999, 1_000_000_000, 7_654_321_987] {
            let end = Duration::from_nanos(end);
            let count = rate.count_before(end);
            assert!(rate.offset(count - 1) < end, "{millihertz} {end:?}");
            assert!(rate.offset(count) >= end, "{millihertz} {end:?}");
        }
        assert_eq!(rate.count_before(Duration::ZERO), 0);
    }
}
