//! The few shapes that a chart is made of.

/// Colours by the reader's preference; series are told apart by luminance as well as by hue.
const STYLE: &str = "\
:root{--paper:#ffffff;--ink:#1b1f24;--soft:#5b6470;--grid:#d9dde2;--track:#eceff2;\
--c0:#0b62a8;--c1:#c4570a;--c2:#1a7f4b;--c3:#a1246b;--c4:#5a4fcf;--c5:#8a6d00;--c6:#0e7c86;--c7:#b3261e}\
@media(prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e8ebee;--soft:#9aa4af;--grid:#2f3740;--track:#232a31;\
--c0:#58a6ee;--c1:#ff9b50;--c2:#4fc98a;--c3:#f07bbd;--c4:#a79cff;--c5:#d9b945;--c6:#4cc5d0;--c7:#ff7b72}}\
text{font:12px system-ui,sans-serif;fill:var(--ink)}\
.title{font-size:18px;font-weight:600}.heading{font-size:13px;font-weight:600}.note,.tick{fill:var(--soft)}\
.range{stroke:var(--ink);stroke-width:1}.paper{fill:var(--paper)}.grid{stroke:var(--grid);stroke-width:1}.track{fill:var(--track)}\
.curve{fill:none;stroke-width:2;stroke-linejoin:round}";

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture that is being drawn.
#[derive(Debug)]
pub(crate) struct Svg {
    size: (f64, f64),
    body: String,
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { size: (width, height), body: String::new() }
    }

    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.push(&format!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    pub(crate) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) {
        self.push(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    pub(crate) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.push(&format!(
            "<line class=\"grid\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// From the least to the greatest, across a bar.
    pub(crate) fn range(&mut self, (x1, y): (f64, f64), x2: f64) {
        self.push(&format!("<path class=\"range\" d=\"M{x1:.1} {:.1}v6m0 -3H{x2:.1}m0 -3v6\"/>", y - 3.0));
    }

    pub(crate) fn curve(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.push(&format!("<polyline class=\"curve {class}\" points=\"{}\"/>", points.join(" ")));
    }

    /// The whole document; `title` is what screen readers say.
    pub(crate) fn finish(self, title: &str) -> String {
        let (width, height) = self.size;
        let series: String =
            (0..8).map(|n| format!(".fill{n}{{fill:var(--c{n})}}.line{n}{{stroke:var(--c{n})}}")).collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n\
             <style>{STYLE}{series}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
            escaped(title),
            self.body
        )
    }

    fn push(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

/// As XML takes it: what XML cannot hold at all becomes a replacement character.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..' ' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push(char::REPLACEMENT_CHARACTER)
            }
            _ => out.push(c),
        }
    }
    out
}

/// At most so many characters, the last of them an ellipsis where some are left out.
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect()
}
