//! `herringbone bench --write`: how long writing takes.

use std::path::Path;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use herringbone::arrow::{ArrowWriter, ParquetFile};

use crate::bench::{Args, milliseconds};
use crate::failure::{Failure, Result};
use crate::feed::memory;
use crate::grid::{Align, thousands};
use crate::limits::limits;
use crate::sort::sorted;
use crate::threads::Threads;

/// What was measured of a file.
pub struct Written {
    best: Duration,
    rows: u64,
    /// Bytes of the arrays in memory.
    arrays: u64,
    /// Bytes of the file written.
    file: u64,
}

/// Reads a file whole, and times writing its record batches to memory; the best run counts.
pub fn measure(path: &Path, args: &Args) -> Result<Written> {
    let threads = Threads::new(args.threads)?;
    let batches = batches(path, args, &threads)?;
    let schema =
        batches.first().map(RecordBatch::schema).ok_or_else(|| Failure::File(format!("{} has no rows to write", path.display())))?;
    let mut written = Written {
        best: Duration::MAX,
        rows: batches.iter().map(|batch| batch.num_rows() as u64).sum(),
        arrays: batches.iter().map(memory).sum(),
        file: 0,
    };
    // What a run writes takes the place of what the run before wrote, as in a file in memory.
    let mut out = Vec::new();
    for _ in 0..args.runs {
        out.clear();
        let start = Instant::now();
        let writer = ArrowWriter::try_new(&mut out, schema.clone(), args.writer.options(&threads)?)?;
        let mut writer = threads.of_writer(writer);
        for batch in &batches {
            writer.write(batch)?;
        }
        writer.close()?;
        written.best = written.best.min(start.elapsed());
        written.file = out.len() as u64;
    }
    Ok(written)
}

fn batches(path: &Path, args: &Args, threads: &Threads) -> Result<Vec<RecordBatch>> {
    let file = ParquetFile::open_with(path, limits())?;
    let scan = args.of_scan(threads.of_scan(file.scan())).build()?;
    let Some(sorting) = &args.writer.sort_by else { return Ok(scan.read_all()?) };
    let feed = crate::feed::Feed { schema: scan.schema(), rows: None, batches: Box::new(scan.map(|batch| Ok(batch?))) };
    sorting.check(&feed.schema)?;
    sorted(feed, sorting, args.writer.sort_memory())?.batches.collect()
}

impl Written {
    /// The columns of the table.
    pub const COLUMNS: [(&'static str, Align); 7] = [
        ("file", Align::Left),
        ("rows", Align::Right),
        ("Arrow bytes", Align::Right),
        ("file bytes", Align::Right),
        ("best ms", Align::Right),
        ("rows/s", Align::Right),
        ("Arrow MB/s", Align::Right),
    ];

    /// A row of the table.
    pub fn row(&self, path: &Path) -> Vec<String> {
        let per_second = |n: u64| n as f64 / self.best.as_secs_f64().max(1e-9);
        vec![
            path.display().to_string(),
            thousands(self.rows),
            thousands(self.arrays),
            thousands(self.file),
            format!("{:.2}", milliseconds(self.best)),
            thousands(per_second(self.rows) as u64),
            format!("{:.1}", per_second(self.arrays) / 1e6),
        ]
    }

    /// A line for programs: the path, the milliseconds of the best run and the bytes of the file, with tabs between.
    pub fn line(&self, path: &Path) -> String {
        format!("{}\t{:.2}\t{}", path.display(), milliseconds(self.best), self.file)
    }
}
