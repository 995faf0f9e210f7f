//! Charts as SVG: one bar for each contender, with its figures beside it.

use std::fmt::Write;

/// A bar.
pub(crate) struct Bar {
    /// What stands before it.
    pub(crate) label: String,
    /// How long it is.
    pub(crate) value: f64,
    /// What stands behind it.
    pub(crate) note: String,
}

const WIDTH: f64 = 640.0;
const LABEL: f64 = 90.0;
const NOTE: f64 = 230.0;
const ROW: f64 = 24.0;
const THICKNESS: f64 = 14.0;

/// Returns a chart in which the longest bar has all the room there is.
pub(crate) fn bars(title: &str, bars: &[Bar]) -> String {
    let longest = bars.iter().map(|it| it.value).fold(0.0, f64::max);
    let height = ROW * bars.len() as f64;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n",
        escape(title)
    );
    for (row, bar) in bars.iter().enumerate() {
        let middle = ROW * (row as f64 + 0.5);
        let width = length(bar.value, longest);
        // Writing to a string does not fail.
        let _ = writeln!(
            svg,
            "<text class=\"label\" x=\"{:.1}\" y=\"{middle:.1}\">{label}</text>\
             <rect class=\"bar {class}\" x=\"{LABEL}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{THICKNESS}\"/>\
             <text class=\"note\" x=\"{:.1}\" y=\"{middle:.1}\">{note}</text>",
            LABEL - 8.0,
            middle - THICKNESS / 2.0,
            LABEL + width + 6.0,
            label = escape(&bar.label),
            class = class(&bar.label),
            note = escape(&bar.note),
        );
    }
    svg + "</svg>\n"
}

/// Returns the length of a bar; one that is hardly anything can still be seen.
fn length(value: f64, longest: f64) -> f64 {
    const LEAST: f64 = 1.0;
    let share = value / longest;
    let share = if share.is_finite() { share } else { 0.0 };
    (share * (WIDTH - LABEL - NOTE)).max(LEAST)
}

/// Returns the class that gives a contender its colour.
fn class(contender: &str) -> &'static str {
    match contender {
        "on" => "own",
        "stock" | "off" | "floor" => "base",
        _ => "rival",
    }
}

/// Returns text as it stands in HTML and in attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values() {
        let room = WIDTH - LABEL - NOTE;
        assert_eq!(length(4.0, 4.0), room);
        assert_eq!(length(1.0, 4.0), room / 4.0);
        assert_eq!(length(0.0, 4.0), 1.0);
        assert_eq!(length(0.0, 0.0), 1.0);
    }

    #[test]
    fn text_is_escaped() {
        let bar = Bar {
            label: "a<b".to_string(),
            value: 1.0,
            note: "\"1\" & more".to_string(),
        };
        let svg = bars("<title>", &[bar]);
        for expected in [
            "a&lt;b",
            "&quot;1&quot; &amp; more",
            "aria-label=\"&lt;title&gt;\"",
        ] {
            assert!(svg.contains(expected), "{svg}");
        }
    }
}
