//! Latency by percentile, a curve for each run.

use super::super::fields::Report;
use super::axes::Axes;
use super::svg::{Anchor, Svg};
use super::{MARGIN, WIDTH};

/// Of the whole part, its heading and its ticks included.
pub(super) const HEIGHT: f64 = 400.0;

const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - MARGIN - 16.0;
const PLOT: f64 = 310.0;
const HEADING: f64 = 30.0;

pub(super) fn draw(svg: &mut Svg, top: f64, runs: &[Report]) {
    svg.text(
        (MARGIN, top + 14.0),
        Anchor::Start,
        "heading",
        "Latency from the intended moment to the whole frame",
    );
    let Some(axes) = Axes::around(runs) else {
        svg.text((WIDTH / 2.0, top + HEIGHT / 2.0), Anchor::Middle, "note", "no frame was received");
        return;
    };
    let plot_top = top + HEADING;
    grid(svg, plot_top, &axes);
    for (index, run) in runs.iter().enumerate() {
        let points: Vec<_> = run
            .latency_curve
            .iter()
            .map(|point| {
                let across = axes.across(point.share, run.latency.frames);
                place(plot_top, across, axes.up(point.latency_ms))
            })
            .collect();
        svg.curve(&points, &format!("line{index}"));
    }
}

fn grid(svg: &mut Svg, top: f64, axes: &Axes) {
    for latency_ms in axes.latencies() {
        let (x, y) = place(top, 0.0, axes.up(latency_ms));
        svg.line((x, y), (RIGHT, y));
        svg.text((x - 8.0, y + 4.0), Anchor::End, "tick", &spoken(latency_ms));
    }
    for (share, name) in axes.shares() {
        let (x, y) = place(top, axes.across(share, u64::MAX), 0.0);
        svg.line((x, top), (x, y));
        svg.text((x, y + 18.0), Anchor::Middle, "tick", &name);
    }
    let below = top + PLOT + 38.0;
    svg.text(
        ((LEFT + RIGHT) / 2.0, below),
        Anchor::Middle,
        "note",
        "share of received frames that took no longer",
    );
}

fn place(top: f64, across: f64, up: f64) -> (f64, f64) {
    (LEFT + across * (RIGHT - LEFT), top + (1.0 - up) * PLOT)
}

fn spoken(latency_ms: f64) -> String {
    // Powers of ten are not exact below one.
    if latency_ms < 0.999 {
        format!("{:.0} µs", latency_ms * 1e3)
    } else if latency_ms < 999.0 {
        format!("{latency_ms:.0} ms")
    } else {
        format!("{:.0} s", latency_ms / 1e3)
    }
}
