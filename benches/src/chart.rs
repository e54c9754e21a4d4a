//! The chart: groups of bars, with the longest bar as wide as the picture allows.

use std::path::Path;

use plotters::prelude::{
    Color as _, DrawingAreaErrorKind, IntoDrawingArea as _, IntoFont as _, RGBColor, Rectangle,
    SVGBackend, Text, WHITE,
};

use crate::report::Chart;

const WIDTH: u32 = 900;
const LINE: u32 = 22;
/// Where bars begin, and how long the longest one is.
const LEFT: i32 = 300;
const LONGEST: f64 = 500.0;
const OURS: RGBColor = RGBColor(0, 114, 178);
const OTHERS: RGBColor = RGBColor(160, 160, 160);
const INK: RGBColor = RGBColor(40, 40, 40);

type DrawError = DrawingAreaErrorKind<std::io::Error>;

/// Draws all charts one below the other into one SVG file.
pub(crate) fn draw(charts: &[Chart], path: &Path) -> Result<(), DrawError> {
    let lines: usize = charts.iter().map(|chart| chart.bars.len() + 2).sum();
    let height = LINE * u32::try_from(lines).unwrap_or(1) + LINE;
    let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let title = ("sans-serif", 16).into_font().color(&INK);
    let label = ("sans-serif", 13).into_font().color(&INK);
    let line = LINE.cast_signed();
    let mut top = line / 2;
    for chart in charts {
        area.draw(&Text::new(chart.title.clone(), (10, top), title.clone()))?;
        top += line;
        let longest = chart
            .bars
            .iter()
            .map(|(_, value)| *value)
            .fold(0.0, f64::max);
        for (name, value) in &chart.bars {
            let color = if name.starts_with("flask-pyjwt") {
                OURS
            } else {
                OTHERS
            };
            #[expect(clippy::cast_possible_truncation, reason = "pixels")]
            let right = LEFT + (value / longest * LONGEST) as i32;
            let bar = [(LEFT, top), (right, top + line - 6)];
            area.draw(&Rectangle::new(bar, color.filled()))?;
            area.draw(&Text::new(name.clone(), (20, top + 2), label.clone()))?;
            let value = if *value < 100.0 {
                format!("{value:.1}")
            } else {
                format!("{value:.0}")
            };
            area.draw(&Text::new(value, (right + 6, top + 2), label.clone()))?;
            top += line;
        }
        top += line;
    }
    area.present()
}
