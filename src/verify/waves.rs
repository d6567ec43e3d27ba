//! The column chunks of a file, some of them at once; what is found is put together in the order of the file.

use crate::error::Result;
use crate::format::RowGroup;
use crate::verify::frame::File;
use crate::verify::report::Recorder;
use crate::verify::row_group::{Begun, Checked, begin};

/// Checks row groups and all that is in them, so many chunks at once; 0 for as many as there are threads.
pub(super) fn walk(file: &File<'_>, groups: &[RowGroup<'_>], threads: usize, out: &mut Recorder) -> Result<()> {
    let threads = tasks::most(threads);
    let mut first = 0;
    while let Some(left) = groups.get(first..).filter(|left| !left.is_empty()) {
        let wave = left.get(..wave(left, threads)).unwrap_or(left);
        let (mut found, budgets) = (out.wave(), out.budgets.left());
        check(file, first, wave, threads, &mut found)?;
        if threads > 1 && found.ran_out {
            // Which pages are decoded and which findings are kept when budgets run out depends on the order of the chunks.
            out.budgets.restore(budgets);
            found = out.wave();
            for (index, group) in (first..).zip(wave.chunks(1)) {
                check(file, index, group, 1, &mut found)?;
            }
        }
        out.absorb(found);
        first = first.saturating_add(wave.len());
    }
    Ok(())
}

/// How many of the next row groups are checked together: enough to keep all threads busy. What is remembered of the rows of one that is sorted
/// is remembered of no other.
fn wave(groups: &[RowGroup<'_>], threads: usize) -> usize {
    if threads == 1 {
        return 1;
    }
    let enough = threads.saturating_mul(8);
    let mut chunks = 0_usize;
    let is_more = |group: &&RowGroup<'_>| {
        let room = chunks < enough;
        chunks = chunks.saturating_add(group.columns.len().max(1));
        room && group.sorting_columns.as_ref().is_none_or(Vec::is_empty)
    };
    groups.iter().take_while(is_more).count().max(1)
}

/// Checks some row groups, of which the first is the file's row group `first`.
fn check(file: &File<'_>, first: usize, groups: &[RowGroup<'_>], threads: usize, out: &mut Recorder) -> Result<()> {
    let begun: Vec<Begun<'_>> = (first..).zip(groups).map(|(index, group)| begin(file, index, group, out.part())).collect();
    let chunks: Vec<(&Begun<'_>, usize)> = begun.iter().flat_map(|group| (0..group.chunks).map(move |leaf| (group, leaf))).collect();
    let mut checked = run(file, &chunks, threads, out).into_iter();
    for group in begun {
        let own = checked.by_ref().take(group.chunks).collect::<Result<Vec<_>>>()?;
        group.finish(own, out);
    }
    Ok(())
}

/// Checks chunks, and gives what came out of them in their order.
fn run(file: &File<'_>, chunks: &[(&Begun<'_>, usize)], threads: usize, out: &Recorder) -> Vec<Result<Checked>> {
    if threads == 1 {
        let mut checked = Vec::with_capacity(chunks.len());
        for (group, leaf) in chunks {
            checked.push(group.chunk(file, *leaf, out.part()));
            if checked.last().is_some_and(Result::is_err) {
                break;
            }
        }
        return checked;
    }
    let (heavy, light): (Vec<_>, Vec<_>) = chunks.iter().enumerate().partition(|(_, (group, leaf))| group.is_heavy(*leaf));
    let check = |(at, (group, leaf)): (usize, &(&Begun<'_>, usize))| (at, group.chunk(file, *leaf, out.part()));
    let mut checked = tasks::each(light, threads, check);
    checked.extend(heavy.into_iter().map(check));
    checked.sort_unstable_by_key(|(at, _)| *at);
    checked.into_iter().map(|(_, checked)| checked).collect()
}

/// With rayon.
#[cfg(feature = "rayon")]
mod tasks {
    use std::sync::{Mutex, PoisonError};

    /// How many tasks run at once where so many are asked for.
    pub(super) fn most(threads: usize) -> usize {
        if threads == 0 { rayon::current_num_threads().max(1) } else { threads }
    }

    /// Does some work for each of the tasks, `threads` of them at once; what comes of them is in no order.
    pub(super) fn each<T: Send, R: Send>(tasks: Vec<T>, threads: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        let (workers, done) = (threads.min(tasks.len()), Mutex::new(Vec::with_capacity(tasks.len())));
        let left = Mutex::new(tasks.into_iter());
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        rayon::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|_| {
                    while let Some(task) = next() {
                        let result = work(task);
                        done.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                    }
                });
            }
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without: one after another.
#[cfg(not(feature = "rayon"))]
mod tasks {
    pub(super) fn most(_: usize) -> usize {
        1
    }

    pub(super) fn each<T, R>(tasks: Vec<T>, _: usize, work: impl Fn(T) -> R) -> Vec<R> {
        tasks.into_iter().map(work).collect()
    }
}
