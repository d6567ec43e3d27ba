//! What a scan did.

use std::fmt;

/// What a scan read and what it passed over, so far; from [`Scan::metrics`](crate::arrow::Scan::metrics).
///
/// Each row group counts for the first step that decided about it, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanMetrics {
    /// Row groups that were asked for.
    pub row_groups: u64,
    /// Row groups of which statistics said that no row passes.
    pub row_groups_by_statistics: u64,
    /// Row groups of which bloom filters said so.
    pub row_groups_by_bloom_filters: u64,
    /// Row groups of which dictionary pages said so.
    pub row_groups_by_dictionaries: u64,
    /// Row groups of which page indexes said so of every page.
    pub row_groups_by_page_indexes: u64,
    /// Row groups of which all rows pass, as statistics or dictionary pages said: they are not looked at.
    pub row_groups_decided: u64,
    /// Rows that were asked for.
    pub rows: u64,
    /// Rows of the row groups that statistics excluded.
    pub rows_by_statistics: u64,
    /// Rows of the row groups that bloom filters excluded.
    pub rows_by_bloom_filters: u64,
    /// Rows of the row groups that dictionary pages excluded.
    pub rows_by_dictionaries: u64,
    /// Rows that page indexes excluded.
    pub rows_by_page_indexes: u64,
    /// Rows that pass without being looked at.
    pub rows_decided: u64,
    /// Rows whose values were looked at.
    pub rows_evaluated: u64,
    /// Rows that passed, of those that were looked at and of those that were not.
    pub rows_passed: u64,
    /// Bytes of the column chunks that the scan and its filter would read without anything being passed over.
    pub bytes: u64,
    /// Bytes of them in row groups that statistics excluded.
    pub bytes_by_statistics: u64,
    /// Bytes of them in row groups that bloom filters excluded.
    pub bytes_by_bloom_filters: u64,
    /// Bytes of them in row groups that dictionary pages excluded.
    pub bytes_by_dictionaries: u64,
    /// Bytes of pages that page indexes excluded: of the filter's columns by their sizes, of others by the share of rows.
    pub bytes_by_page_indexes: u64,
    /// Pages of the filter's columns that page indexes excluded.
    pub pages_by_page_indexes: u64,
    /// Data pages that were decompressed and decoded, in part at least.
    pub pages_decoded: u64,
    /// Reads of the source.
    pub reads: u64,
    /// Bytes that they fetched, bloom filters and indexes included; the footer was read before.
    pub bytes_fetched: u64,
}

/// A line for each step that did something.
impl fmt::Display for ScanMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = |n: u64| format!("{n} row group{}", if n == 1 { "" } else { "s" });
        writeln!(f, "asked for: {}, {} rows, {} bytes", groups(self.row_groups), self.rows, self.bytes)?;
        let steps = [
            ("statistics", self.row_groups_by_statistics, self.rows_by_statistics, self.bytes_by_statistics),
            ("bloom filters", self.row_groups_by_bloom_filters, self.rows_by_bloom_filters, self.bytes_by_bloom_filters),
            ("dictionary pages", self.row_groups_by_dictionaries, self.rows_by_dictionaries, self.bytes_by_dictionaries),
        ];
        for (step, row_groups, rows, bytes) in steps {
            if row_groups > 0 {
                writeln!(f, "passed over by {step}: {}, {rows} rows, {bytes} bytes", groups(row_groups))?;
            }
        }
        if self.rows_by_page_indexes > 0 {
            writeln!(
                f,
                "passed over by page indexes: {} as a whole, {} pages of the filter's columns, {} rows, {} bytes",
                groups(self.row_groups_by_page_indexes),
                self.pages_by_page_indexes,
                self.rows_by_page_indexes,
                self.bytes_by_page_indexes
            )?;
        }
        if self.rows_decided > 0 {
            writeln!(f, "passed without a look: {} as a whole, {} rows", groups(self.row_groups_decided), self.rows_decided)?;
        }
        writeln!(f, "looked at: {} rows", self.rows_evaluated)?;
        writeln!(f, "passed: {} rows", self.rows_passed)?;
        write!(f, "fetched: {} bytes in {} reads; {} data pages decoded", self.bytes_fetched, self.reads, self.pages_decoded)
    }
}
