//! Rows into a Parquet file.

use herringbone::arrow::ArrowPlan;

use crate::failure::Result;
use crate::feed::Feed;
use crate::sink::{Parquet, Sink};
use crate::sort::sorted;
use crate::target::Target;
use crate::threads::Threads;
use crate::writer_args::WriterArgs;

/// Refuses, before all rows are sorted, what would come up when they are written.
pub fn check_before_sorting(feed: &Feed, writer: &WriterArgs, threads: &Threads) -> Result {
    let Some(sorting) = &writer.sort_by else { return Ok(()) };
    sorting.check(&feed.schema)?;
    ArrowPlan::new(feed.schema.clone(), writer.options(threads)?)?;
    Ok(())
}

/// Writes all rows of a feed, sorted if that is asked for, and gives the file its name. Returns how many rows they were.
pub fn encode(feed: Feed, target: Target, writer: &WriterArgs, threads: &Threads) -> Result<u64> {
    let options = writer.options(threads)?;
    check_before_sorting(&feed, writer, threads)?;
    let feed = match &writer.sort_by {
        Some(sorting) => sorted(feed, sorting, writer.sort_memory())?,
        None => feed,
    };
    let mut target = target;
    let mut sink = Parquet::new(&mut target, &feed.schema, options, threads)?;
    let mut rows = 0;
    for batch in feed.batches {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        sink.write(&batch)?;
    }
    sink.finish()?;
    drop(sink);
    target.finish()?;
    Ok(rows)
}
