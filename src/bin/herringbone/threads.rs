//! One pool for reading and writing.

use std::io::Write;
use std::sync::Arc;

use herringbone::arrow::{ArrowWriter, ScanBuilder};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::failure::{Failure, Result};

/// More are not worth their stacks on any machine.
const MOST_THREADS: usize = 1024;

/// Where columns are decoded and encoded.
#[derive(Clone, Debug)]
pub enum Threads {
    /// One thread on each core.
    All,
    /// On the thread that asks.
    One,
    /// As many as were asked for.
    Some(Arc<ThreadPool>),
}

impl Threads {
    /// So many threads; 0 for one on each core.
    pub fn new(threads: usize) -> Result<Self> {
        match threads {
            0 => Ok(Threads::All),
            1 => Ok(Threads::One),
            many if many > MOST_THREADS => Err(Failure::Usage(format!("{many} threads are too many: give at most {MOST_THREADS}"))),
            many => match ThreadPoolBuilder::new().num_threads(many).build() {
                Ok(pool) => Ok(Threads::Some(Arc::new(pool))),
                Err(error) => Err(Failure::Usage(format!("cannot start {many} threads: {error}"))),
            },
        }
    }

    /// Runs something whose tasks go to these threads; it is told how many they are, 0 for one on each core.
    pub fn run<T: Send>(&self, run: impl FnOnce(usize) -> T + Send) -> T {
        match self {
            Threads::All => run(0),
            Threads::One => run(1),
            Threads::Some(pool) => pool.install(|| run(0)),
        }
    }

    /// A scan on these threads.
    pub fn of_scan(&self, scan: ScanBuilder) -> ScanBuilder {
        match self {
            Threads::All => scan.threads(0),
            Threads::One => scan.threads(1),
            Threads::Some(pool) => scan.pool(Arc::clone(pool)),
        }
    }

    /// What the options of a writer on these threads say.
    pub fn of_options(&self) -> Option<usize> {
        match self {
            Threads::All | Threads::Some(_) => None,
            Threads::One => Some(1),
        }
    }

    /// A writer on these threads.
    pub fn of_writer<W: Write>(&self, writer: ArrowWriter<W>) -> ArrowWriter<W> {
        match self {
            Threads::All | Threads::One => writer,
            Threads::Some(pool) => writer.in_pool(Arc::clone(pool)),
        }
    }
}
