//! Tables of what was measured: for people, for Markdown, and as JSON.

use serde_json::{Value, json};

/// Measures of one kind, with a row for each subject.
pub struct Section {
    pub title: String,
    /// What the figures are: "ms", "MiB".
    pub unit: &'static str,
    /// Names of the engines, ours first.
    pub engines: Vec<&'static str>,
    pub rows: Vec<Row>,
}

/// What each engine needed; less is better.
pub struct Row {
    pub subject: String,
    /// In the order of the engines; or why there is none.
    pub measures: Vec<Result<f64, String>>,
    /// What else is to be said, beside the table.
    pub note: String,
}

impl Row {
    /// The least of the peers' measures, and whose it is.
    fn best_peer(&self) -> Option<(usize, f64)> {
        let peers = self.measures.iter().enumerate().skip(1);
        peers.filter_map(|(i, measure)| Some((i, *measure.as_ref().ok()?))).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// How many times ours is as good as the best peer.
    pub fn ratio(&self) -> Option<f64> {
        let ours = self.measures.first()?.as_ref().ok()?;
        Some(self.best_peer()?.1 / ours)
    }
}

impl Section {
    /// The geometric mean of the ratios.
    pub fn mean(&self) -> Option<f64> {
        let ratios: Vec<f64> = self.rows.iter().filter_map(Row::ratio).collect();
        (!ratios.is_empty()).then(|| (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp())
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let head = ["subject"].iter().chain(&self.engines).chain(&["best peer", "ratio", ""]).map(|name| name.to_string()).collect();
        let row = |row: &Row| {
            let number = |measure: &Result<f64, String>| measure.as_ref().map_or_else(|_| "fails".to_owned(), |n| format!("{n:.2}"));
            let peer = row.best_peer().and_then(|(i, _)| self.engines.get(i)).map_or("", |name| name);
            let ratio = row.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}"));
            let left = std::iter::once(row.subject.clone()).chain(row.measures.iter().map(number));
            left.chain([peer.to_owned(), ratio, row.note.clone()]).collect()
        };
        std::iter::once(head).chain(self.rows.iter().map(row)).collect()
    }

    /// With columns of one width.
    pub fn text(&self) -> String {
        let cells = self.cells();
        let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..cells[0].len()).map(width).collect();
        let mut text = format!("{}, {}\n", self.title, self.unit);
        for row in &cells {
            let cell = |(i, (cell, &width)): (usize, (&String, &usize))| {
                if i == 0 || i + 1 == row.len() { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            };
            let line = row.iter().zip(&widths).enumerate().map(cell).collect::<Vec<_>>().join("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text + &self.mean_line()
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("### {}, {}\n\n", self.title, self.unit);
        for (i, row) in self.cells().iter().enumerate() {
            text.push_str(&format!("| {} |\n", row.join(" | ")));
            if i == 0 {
                text.push_str(&format!("| --- |{}\n", " ---: |".repeat(row.len() - 1)));
            }
        }
        text + "\n" + &self.mean_line()
    }

    fn mean_line(&self) -> String {
        let mean = |mean| format!("geometric mean of the ratios: {mean:.2} over {} rows\n", self.rows.len());
        self.mean().map(mean).unwrap_or_default()
    }

    /// As JSON, with failures in words.
    pub fn json(&self) -> Value {
        let measure = |measure: &Result<f64, String>| measure.as_ref().map_or_else(|error| json!({ "error": error }), |n| json!(n));
        let row = |row: &Row| {
            let measures: serde_json::Map<_, _> =
                self.engines.iter().zip(&row.measures).map(|(engine, found)| (engine.to_string(), measure(found))).collect();
            json!({ "subject": row.subject, "measures": measures, "ratio": row.ratio(), "note": row.note })
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        json!({ "title": self.title, "unit": self.unit, "mean": self.mean(), "rows": rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> Section {
        let row = |subject: &str, measures| Row { subject: subject.into(), measures, note: String::new() };
        let rows = vec![row("a", vec![Ok(2.0), Ok(8.0), Ok(9.0)]), row("b", vec![Ok(4.0), Err("no".into()), Ok(4.0)])];
        Section { title: "Reading".into(), unit: "ms", engines: vec!["ours", "one", "two"], rows }
    }

    #[test]
    fn ratios_are_to_the_best_peer() {
        let section = section();
        assert_eq!(section.rows.iter().map(Row::ratio).collect::<Vec<_>>(), [Some(4.0), Some(1.0)]);
        assert_eq!(section.mean(), Some(2.0));
        let mut alone = section;
        alone.rows[1].measures[2] = Err("no".into());
        assert_eq!(alone.rows[1].ratio(), None);
        alone.rows[0].measures[0] = Err("no".into());
        assert_eq!(alone.mean(), None);
    }

    #[test]
    fn tables_hold_all_rows() {
        let section = section();
        assert_eq!(section.text().lines().count(), 5);
        assert!(section.text().contains("b        4.00  fails  4.00        two   1.00"), "{}", section.text());
        assert!(section.markdown().contains("| a | 2.00 | 8.00 | 9.00 | one | 4.00 |  |"));
        assert_eq!(section.json()["rows"][1]["measures"]["one"]["error"], "no");
    }
}
