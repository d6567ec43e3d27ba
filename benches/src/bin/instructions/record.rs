//! The record: tab-separated, with what the counts depend on in its first lines.

use std::collections::BTreeMap;
use std::path::Path;

use benches::Result;

/// Instructions by the name of the read.
pub type Counts = BTreeMap<String, u64>;

/// Counts and what they were made with.
#[derive(Debug, PartialEq)]
pub struct Record {
    pub compiler: String,
    pub target: String,
    pub valgrind: String,
    pub counts: Counts,
}

impl Record {
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        Ok(std::fs::write(path, self.print())?)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut record = Record { compiler: String::new(), target: String::new(), valgrind: String::new(), counts: Counts::new() };
        for line in text.lines() {
            let (name, value) = line.split_once('\t').ok_or_else(|| format!("the line '{line}' has no tab"))?;
            match name {
                "# compiler" => record.compiler = value.to_owned(),
                "# target" => record.target = value.to_owned(),
                "# valgrind" => record.valgrind = value.to_owned(),
                _ => {
                    record.counts.insert(name.to_owned(), value.parse().map_err(|error| format!("the line '{line}': {error}"))?);
                }
            }
        }
        Ok(record)
    }

    fn print(&self) -> String {
        let mut text = format!("# compiler\t{}\n# target\t{}\n# valgrind\t{}\n", self.compiler, self.target, self.valgrind);
        for (name, count) in &self.counts {
            text.push_str(&format!("{name}\t{count}\n"));
        }
        text
    }
}

/// How many more instructions are let pass.
#[derive(Debug, PartialEq)]
pub struct Tolerance {
    pub percent: f64,
    /// In what the record differs from here, if the tolerance is wider for that.
    pub difference: Option<String>,
}

impl Tolerance {
    /// 5 % with the same compiler. Another one makes other code of the same source, which is no fault of a change.
    pub fn between(before: &Record, here: &Record) -> Result<Self> {
        if before.target != here.target {
            return Err(format!("the record is for {}, and counts on {} cannot be compared with it", before.target, here.target).into());
        }
        let differs =
            |what: &str, then: &str, now: &str| (then != now).then(|| format!("the record's {what} is {then}, and here is {now}"));
        Ok(match differs("compiler", &before.compiler, &here.compiler).or_else(|| differs("valgrind", &before.valgrind, &here.valgrind)) {
            None => Tolerance { percent: 5.0, difference: None },
            difference => Tolerance { percent: 15.0, difference },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(compiler: &str, target: &str) -> Record {
        let counts = Counts::from([("a".to_owned(), 12), ("b".to_owned(), 7)]);
        Record { compiler: compiler.into(), target: target.into(), valgrind: "valgrind-3".into(), counts }
    }

    #[test]
    fn records_are_read_as_they_are_written() {
        let record = record("rustc 1", "x86_64");
        assert_eq!(Record::parse(&record.print()).expect("a record"), record);
        assert!(Record::parse("a 12\n").is_err());
        assert!(Record::parse("a\tb\n").is_err());
    }

    #[test]
    fn another_compiler_is_allowed_more_and_another_machine_refused() {
        let before = record("rustc 1", "x86_64");
        assert_eq!(Tolerance::between(&before, &before).expect("a tolerance").percent, 5.0);
        let wider = Tolerance::between(&before, &record("rustc 2", "x86_64")).expect("a tolerance");
        assert_eq!(wider.percent, 15.0);
        assert!(wider.difference.is_some_and(|text| text.contains("rustc 1") && text.contains("rustc 2")));
        assert!(Tolerance::between(&before, &record("rustc 1", "aarch64")).is_err());
    }
}
