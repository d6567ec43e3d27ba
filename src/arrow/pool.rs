//! The threads that tasks run on.

use std::sync::Arc;

use crate::arrow::scan::Threads;
use crate::error::{Error, Result};

/// Where tasks run.
#[derive(Clone)]
pub(crate) enum Pool {
    Global,
    Own(Arc<rayon::ThreadPool>),
    /// The pool could not be made: the reason comes with the first batch.
    Failed(Arc<str>),
}

impl Pool {
    /// The pool that was asked for, and how many threads it has.
    pub(crate) fn of(threads: Threads) -> (Self, usize) {
        match threads {
            Threads::Caller => (Pool::Global, 1),
            Threads::Global => (Pool::Global, rayon::current_num_threads()),
            Threads::Pool(pool) => {
                let threads = pool.current_num_threads();
                (Pool::Own(pool), threads)
            }
            Threads::Own(threads) => {
                match rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("herringbone-{i}")).build() {
                    Ok(pool) => (Pool::Own(Arc::new(pool)), threads),
                    Err(error) => (Pool::Failed(error.to_string().into()), threads),
                }
            }
        }
    }

    /// # Errors
    /// `Usage` if the pool could not be made.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Pool::Failed(reason) => Err(Error::usage(format!("the threads could not be started: {reason}"))),
            _ => Ok(()),
        }
    }
}

pub(crate) fn spawn_on(pool: &Pool, task: impl FnOnce() + Send + 'static) {
    match pool {
        Pool::Global => rayon::spawn_fifo(task),
        Pool::Own(pool) => pool.spawn_fifo(task),
        Pool::Failed(_) => {}
    }
}
