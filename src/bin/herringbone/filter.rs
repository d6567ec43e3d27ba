//! Which rows: conditions on the command line.

use std::io::{self, Write};
use std::path::Path;

use herringbone::arrow::ScanBuilder;
use herringbone::predicate::Expr;

use crate::failure::Result;
use crate::grid::shown;
use crate::scan::FileScan;

/// A condition for rows.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Filter {
    /// The rows only for which a condition in SQL is true, such as "price > 5 AND day >= DATE '2024-02-29'"
    #[arg(long = "where", value_name = "CONDITION")]
    pub condition: Option<Condition>,
    /// Say on standard error what was read and what was passed over
    #[arg(long)]
    pub explain: bool,
}

/// A condition that was read.
#[derive(Clone, Debug)]
pub struct Condition(pub Expr);

impl std::str::FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        text.parse().map(Self).map_err(|error: herringbone::Error| error.message().to_owned())
    }
}

impl Filter {
    /// Whether there is anything to do beyond reading all rows.
    pub fn is_there(&self) -> bool {
        self.condition.is_some() || self.explain
    }

    /// A scan with this filter.
    pub fn of_scan(&self, scan: ScanBuilder) -> ScanBuilder {
        match &self.condition {
            Some(Condition(expr)) => scan.filter(expr.clone()),
            None => scan,
        }
    }

    /// Says what a scan did, if that is asked for.
    pub fn explain(&self, path: &Path, scan: &FileScan) -> Result {
        if self.explain {
            writeln!(io::stderr(), "{}:", shown(&path.display().to_string()))?;
            scan.explain().lines().try_for_each(|line| writeln!(io::stderr(), "{}", shown(line)))?;
        }
        Ok(())
    }
}
