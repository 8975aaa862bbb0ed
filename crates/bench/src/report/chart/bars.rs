//! What was delivered to each subscriber, a bar for each.

use super::super::fields::{Report, SubscriberReport};
use super::svg::{Anchor, Svg, shortened};
use super::{BARS_MAX, MARGIN, SERIES_MAX, WIDTH, name};

const HEADING: f64 = 26.0;
const ROW: f64 = 22.0;
const LEFT: f64 = 330.0;
const RIGHT: f64 = WIDTH - MARGIN - 84.0;
/// Characters of a name beside its bar.
const NAME_CHARS: usize = 42;

/// A subscriber, and the index of its run.
type Bar<'a> = (usize, &'a SubscriberReport);

pub(super) fn height(runs: &[Report]) -> f64 {
    let count = bars(runs).count();
    let note = usize::from(count > BARS_MAX);
    HEADING + (count.min(BARS_MAX) + note) as f64 * ROW
}

pub(super) fn draw(svg: &mut Svg, top: f64, runs: &[Report]) {
    svg.text((MARGIN, top + 12.0), Anchor::Start, "heading", "Delivered of what was due, by subscriber");
    for (row, (run, subscriber)) in bars(runs).take(BARS_MAX).enumerate() {
        let y = top + HEADING + row as f64 * ROW;
        let of = if runs.len() > 1 {
            format!("{} · {}", subscriber.name, name(runs, run))
        } else {
            subscriber.name.clone()
        };
        svg.text((LEFT - 10.0, y + 12.0), Anchor::End, "label", &shortened(&of, NAME_CHARS));
        bar(svg, y, run, subscriber.delivery.delivered_percent);
    }
    let count = bars(runs).count();
    if count > BARS_MAX {
        let y = top + HEADING + BARS_MAX as f64 * ROW + 12.0;
        svg.text((LEFT, y), Anchor::Start, "note", &format!("and {} more, not shown", count - BARS_MAX));
    }
}

fn bar(svg: &mut Svg, y: f64, run: usize, percent: f64) {
    let width = RIGHT - LEFT;
    svg.rect((LEFT, y), (width, ROW - 6.0), "track");
    svg.rect((LEFT, y), (width * (percent / 100.0).clamp(0.0, 1.0), ROW - 6.0), &format!("fill{run}"));
    svg.text((RIGHT + 8.0, y + 12.0), Anchor::Start, "label", &format!("{percent:.1}%"));
}

/// Subscribers of the runs that have a colour.
fn bars(runs: &[Report]) -> impl Iterator<Item = Bar<'_>> {
    let shown = runs.iter().take(SERIES_MAX).enumerate();
    shown.flat_map(|(run, report)| report.subscribers.iter().map(move |subscriber| (run, subscriber)))
}
