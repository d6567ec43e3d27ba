//! Readers that panic over broken files, as those of Arrow's formats do.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::Batches;
use super::source::Input;
use crate::failure::{Failure, Result};

thread_local! {
    /// Whether a panic on this thread is one of a reader, and becomes an error.
    static IS_EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a step of a reader. What it panics over becomes an error of the input.
pub fn guarded<T>(input: &Input, step: impl FnOnce() -> T) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_EXPECTED.get() {
                others(panic);
            }
        }));
    });
    let before = IS_EXPECTED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(step));
    IS_EXPECTED.set(before);
    done.map_err(|_| input.failure("it is broken: its parts do not fit together"))
}

/// The batches of a reader; after a panic it is not asked again.
pub fn batches(
    input: &Input,
    reader: impl Iterator<Item = Result<RecordBatch, ArrowError>> + 'static,
    failure: fn(&Input, &ArrowError) -> Failure,
) -> Batches {
    let (input, mut reader) = (input.clone(), Some(reader));
    Box::new(std::iter::from_fn(move || match guarded(&input, || reader.as_mut()?.next()) {
        Ok(Some(Ok(batch))) => Some(Ok(batch)),
        Ok(None) => None,
        Ok(Some(Err(error))) => {
            reader = None;
            Some(Err(failure(&input, &error)))
        }
        Err(broken) => {
            reader = None;
            Some(Err(broken))
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn panics_become_errors_and_end_the_batches() {
        let input = Input::new(Path::new("some.arrow"));
        let failure = |input: &Input, error: &ArrowError| input.failure(error);
        let mut left = 3;
        let mut found = batches(
            &input,
            std::iter::from_fn(move || {
                left -= 1;
                assert!(left > 0, "a reader panics");
                Some(Ok(RecordBatch::new_empty(arrow_schema::Schema::empty().into())))
            }),
            failure,
        );
        assert!(matches!((found.next(), found.next()), (Some(Ok(_)), Some(Ok(_)))));
        assert!(matches!(found.next(), Some(Err(Failure::File(message))) if message.contains("some.arrow")));
        assert!(found.next().is_none());
    }
}
