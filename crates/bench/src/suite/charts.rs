//! Results as pictures: an SVG for each group, bars for each server with the range of its runs.
//!
//! Drawn with the few shapes that the other chart of this crate has: a plotting library would bring more than it saves.

use super::metric::Metric;
use super::results::{Cell, Document, Row};
use super::scenario::Group;
use super::spread::Spread;
use crate::report::svg::{Anchor, Svg, shortened};

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 24.0;
const TOP: f64 = 84.0;
const HEADING: f64 = 30.0;
const BAR: f64 = 13.0;
const GAP: f64 = 9.0;
const LEFT: f64 = 380.0;
const RIGHT: f64 = WIDTH - MARGIN - 92.0;
/// Characters of a load beside its bars.
const LABEL_CHARS: usize = 52;
/// Beyond this ratio of the greatest to the least, bars are logarithmic.
const LINEAR_RATIO_MAX: f64 = 60.0;

/// A metric of a group, with the rows that have it.
struct Panel<'r> {
    metric: Metric,
    rows: Vec<&'r Row<'r>>,
}

/// How long a bar is.
#[derive(Debug, Clone, Copy)]
struct Scale {
    greatest: f64,
    /// Lower end of a logarithmic one.
    least: Option<f64>,
}

/// A picture for each group that was measured: the name of its file without an ending, and the SVG.
#[must_use]
pub fn charts(document: &Document) -> Vec<(String, String)> {
    let drawn = |group: Group| {
        let rows = document.rows(group);
        let panels = panels(group, &rows);
        (!panels.is_empty()).then(|| (format!("suite-{}", group.name()), draw(document, group, &panels)))
    };
    Group::ALL.into_iter().filter_map(drawn).collect()
}

fn panels<'r>(group: Group, rows: &'r [Row<'r>]) -> Vec<Panel<'r>> {
    let mut metrics: Vec<Metric> = group.drawn().to_vec();
    if metrics.is_empty() {
        let all = rows.iter().flat_map(|row| &row.cells).flat_map(|cell| cell.values.keys().copied());
        metrics = all.collect();
        metrics.sort_unstable();
        metrics.dedup();
    }
    let panel = |metric| {
        let has = |row: &&Row<'_>| row.cells.iter().any(|cell| cell.values.contains_key(&metric));
        Panel { metric, rows: rows.iter().filter(has).collect() }
    };
    metrics.into_iter().map(panel).filter(|panel| !panel.rows.is_empty()).collect()
}

fn draw(document: &Document, group: Group, panels: &[Panel<'_>]) -> String {
    let servers = document.servers.len();
    let row_height = servers as f64 * BAR + GAP;
    let height = |panel: &Panel<'_>| HEADING + panel.rows.len() as f64 * row_height + GAP;
    let mut svg = Svg::new(WIDTH, TOP + panels.iter().map(height).sum::<f64>() + MARGIN);
    svg.text((MARGIN, 34.0), Anchor::Start, "title", group.title());
    for (index, server) in document.servers.iter().enumerate() {
        let x = MARGIN + index as f64 * (WIDTH - 2.0 * MARGIN) / 2.0;
        svg.rect((x, 53.0), (14.0, 10.0), &format!("fill{index}"));
        svg.text((x + 20.0, 62.0), Anchor::Start, "label", &shortened(&server.name, 56));
    }
    let mut top = TOP;
    for panel in panels {
        draw_panel(&mut svg, top, (panel, row_height));
        top += height(panel);
    }
    svg.finish(group.title())
}

fn draw_panel(svg: &mut Svg, top: f64, (panel, row_height): (&Panel<'_>, f64)) {
    let scale = Scale::of(panel);
    let how = if scale.least.is_some() { " (logarithmic)" } else { "" };
    svg.text((MARGIN, top + 14.0), Anchor::Start, "heading", &format!("{}{how}", panel.metric.title()));
    for (number, row) in panel.rows.iter().enumerate() {
        let y = top + HEADING + number as f64 * row_height;
        let middle = y + row.cells.len() as f64 * BAR / 2.0 + 4.0;
        svg.text((LEFT - 10.0, middle), Anchor::End, "label", &shortened(&row.title, LABEL_CHARS));
        for (server, cell) in row.cells.iter().enumerate() {
            let place = y + server as f64 * BAR;
            match cell.values.get(&panel.metric) {
                Some(spread) => bar(svg, place, (server, spread, (panel.metric, scale))),
                None => svg.text((LEFT, place + BAR - 3.0), Anchor::Start, "note", why_missing(cell)),
            }
        }
    }
}

/// Why a server has no bar where another has one.
fn why_missing(cell: &Cell) -> &'static str {
    let delivered = cell.values.get(&Metric::DeliveredPercent);
    match delivered {
        _ if cell.runs == 0 => "not finished",
        Some(percent) if percent.greatest == 0.0 => "no frame arrived",
        _ => "not measured",
    }
}

fn bar(svg: &mut Svg, y: f64, (server, spread, (metric, scale)): (usize, &Spread, (Metric, Scale))) {
    let width = |value: f64| scale.share(value) * (RIGHT - LEFT);
    svg.rect((LEFT, y), (width(spread.median).max(1.0), BAR - 2.0), &format!("fill{server}"));
    let middle = y + (BAR - 2.0) / 2.0;
    svg.range((LEFT + width(spread.least), middle), LEFT + width(spread.greatest));
    let digits = metric.digits();
    let end = LEFT + width(spread.greatest).max(width(spread.median));
    svg.text((end + 6.0, y + BAR - 3.0), Anchor::Start, "tick", &format!("{:.digits$}", spread.median));
}

impl Scale {
    fn of(panel: &Panel<'_>) -> Self {
        let spreads = || {
            let cells = panel.rows.iter().flat_map(|row| &row.cells);
            cells.filter_map(|cell| cell.values.get(&panel.metric))
        };
        let greatest = spreads().map(|spread| spread.greatest).fold(0.0, f64::max);
        let above_zero = spreads().map(|spread| spread.median).filter(|value| *value > 0.0);
        let least = above_zero.fold(f64::INFINITY, f64::min);
        if panel.metric == Metric::DeliveredPercent {
            return Self { greatest: 100.0, least: None };
        }
        let is_wide = least.is_finite() && greatest / least > LINEAR_RATIO_MAX;
        Self { greatest, least: is_wide.then_some(least / 2.0) }
    }

    /// 0.0..=1.0.
    fn share(self, value: f64) -> f64 {
        let share = match self.least {
            Some(least) => (value.max(least) / least).ln() / (self.greatest / least).ln(),
            None => value / self.greatest,
        };
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }
}
