//! Record batches of a file on a disk, or of one that is read by its address.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
#[cfg(feature = "object_store")]
use futures_util::StreamExt;
#[cfg(feature = "object_store")]
use herringbone::arrow::ScanStream;
use herringbone::arrow::{Scan, ScanBuilder, ScanMetrics};

use crate::remote;

/// The batches of a scan. Of files that are read by addresses, what comes next is under way while batches are taken.
pub enum FileScan {
    Here(Box<Scan>),
    #[cfg(feature = "object_store")]
    There(Box<ScanStream>),
}

impl FileScan {
    /// Builds a scan of a file that [`open_for_streaming`](crate::input::open_for_streaming) opened by this path.
    pub fn of(path: &Path, scan: ScanBuilder) -> herringbone::Result<Self> {
        #[cfg(feature = "object_store")]
        if remote::is_address(path) {
            return Ok(Self::There(Box::new(scan.stream()?)));
        }
        debug_assert!(!remote::is_address(path), "without the feature, addresses are not opened");
        Ok(Self::Here(Box::new(scan.build()?)))
    }

    /// The schema of the batches.
    pub fn schema(&self) -> SchemaRef {
        match self {
            Self::Here(scan) => scan.schema(),
            #[cfg(feature = "object_store")]
            Self::There(stream) => stream.schema(),
        }
    }

    /// As [`Scan::num_rows`].
    pub fn num_rows(&self) -> u64 {
        match self {
            Self::Here(scan) => scan.num_rows(),
            #[cfg(feature = "object_store")]
            Self::There(stream) => stream.num_rows(),
        }
    }

    /// As [`Scan::is_exact`].
    pub fn is_exact(&self) -> bool {
        match self {
            Self::Here(scan) => scan.is_exact(),
            #[cfg(feature = "object_store")]
            Self::There(stream) => stream.is_exact(),
        }
    }

    /// As [`Scan::metrics`].
    pub fn metrics(&self) -> ScanMetrics {
        match self {
            Self::Here(scan) => scan.metrics(),
            #[cfg(feature = "object_store")]
            Self::There(stream) => stream.metrics(),
        }
    }

    /// As [`Scan::explain`].
    pub fn explain(&self) -> String {
        match self {
            Self::Here(scan) => scan.explain(),
            #[cfg(feature = "object_store")]
            Self::There(stream) => stream.explain(),
        }
    }
}

impl Iterator for FileScan {
    type Item = herringbone::Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Here(scan) => scan.next(),
            #[cfg(feature = "object_store")]
            Self::There(stream) => match remote::wait(stream.next()) {
                Ok(batch) => batch,
                Err(error) => Some(Err(error)),
            },
        }
    }
}
