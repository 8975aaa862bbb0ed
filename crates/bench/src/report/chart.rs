//! Results as a picture: latency by percentile, and what was delivered to each subscriber.
//!
//! One SVG without scripts, fonts or links, which follows the reader's light or dark preference.

mod axes;
mod bars;
mod curves;
pub(crate) mod svg;

use svg::{Anchor, Svg, shortened};

use super::fields::Report;

/// Runs that a chart shows as curves; later ones are only counted.
pub const SERIES_MAX: usize = 8;
/// Subscribers that a chart shows as bars; later ones are only counted.
pub const BARS_MAX: usize = 24;

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 24.0;
const LEGEND_TOP: f64 = 52.0;
const LEGEND_ROW: f64 = 20.0;
/// Characters of a label in the legend.
const LABEL_CHARS: usize = 56;

/// A picture of the runs.
#[must_use]
pub fn chart(title: &str, runs: &[Report]) -> String {
    let shown = &runs[..runs.len().min(SERIES_MAX)];
    let curves_top = LEGEND_TOP + shown.len().div_ceil(2) as f64 * LEGEND_ROW + 8.0;
    let bars_top = curves_top + curves::HEIGHT;
    let mut svg = Svg::new(WIDTH, bars_top + bars::height(runs) + MARGIN);
    svg.text((MARGIN, 34.0), Anchor::Start, "title", &shortened(title, 66));
    legend(&mut svg, runs);
    curves::draw(&mut svg, curves_top, shown);
    bars::draw(&mut svg, bars_top, runs);
    svg.finish(title)
}

/// In two columns, in the order of the runs.
fn legend(svg: &mut Svg, runs: &[Report]) {
    for index in 0..runs.len().min(SERIES_MAX) {
        let x = MARGIN + (index % 2) as f64 * (WIDTH - 2.0 * MARGIN) / 2.0;
        let y = LEGEND_TOP + (index / 2) as f64 * LEGEND_ROW;
        svg.rect((x, y + 3.0), (14.0, 10.0), &format!("fill{index}"));
        svg.text((x + 20.0, y + 12.0), Anchor::Start, "label", &shortened(&name(runs, index), LABEL_CHARS));
    }
    if runs.len() > SERIES_MAX {
        let more = format!("and {} more runs, not shown", runs.len() - SERIES_MAX);
        svg.text((WIDTH - MARGIN, 34.0), Anchor::End, "note", &more);
    }
}

/// A run's label, numbered where several have the same.
fn name(runs: &[Report], index: usize) -> String {
    let label = &runs[index].label;
    let same = |runs: &[Report]| runs.iter().filter(|run| run.label == *label).count();
    if same(runs) == 1 { label.clone() } else { format!("{label} (run {})", same(&runs[..=index])) }
}
