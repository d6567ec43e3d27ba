//! The options that are about record batches.

use crate::schema::TimeUnit;
use crate::write::WriterOptionsBuilder;

/// How record batches become columns.
impl WriterOptionsBuilder {
    /// Whether the Arrow schema is kept in the file, in which readers find the types, names and metadata that Parquet cannot
    /// hold. Default: true.
    pub fn stored_schema(mut self, stored: bool) -> Self {
        self.options.batches.stored_schema = stored;
        self
    }

    /// The name of the Parquet schema's root. Default: `schema`.
    pub fn root_name(mut self, name: impl Into<String>) -> Self {
        self.options.batches.root = name.into();
        self
    }

    /// Whether timestamps are stored as INT96, which the format has given up and old readers want. Default: false.
    pub fn int96_timestamps(mut self, wanted: bool) -> Self {
        self.options.batches.int96_timestamps = wanted;
        self
    }

    /// The unit that all timestamps are stored in. A timestamp that is more exact is an error, unless truncation is
    /// [allowed](Self::allow_truncation). Default: the unit of each field, milliseconds instead of seconds.
    pub fn timestamp_unit(mut self, unit: impl Into<Option<TimeUnit>>) -> Self {
        self.options.batches.timestamp_unit = unit.into();
        self
    }

    /// Whether parts of values may be lost that their column cannot hold: of timestamps in a coarser unit, the time of day of a
    /// `Date64`, what intervals have below a millisecond. The earlier of the neighbouring values is stored then. Default: false.
    pub fn allow_truncation(mut self, allowed: bool) -> Self {
        self.options.batches.allow_truncation = allowed;
        self
    }

    /// Whether decimals of up to 18 digits are stored as integers, which is smaller and faster than bytes. Default: true.
    pub fn decimals_as_integers(mut self, wanted: bool) -> Self {
        self.options.batches.decimals_as_integers = wanted;
        self
    }

    /// Makes a file for old versions of Spark: INT96 timestamps, and an underscore in place of each character that Spark refuses
    /// in names (space, `,;{}()=`, tab and line feed). Options of columns and [`sorting`](Self::sorting) may name them by the new name or the old one.
    pub fn spark(mut self) -> Self {
        self.options.batches.int96_timestamps = true;
        self.options.batches.spark_names = true;
        self
    }
}
