//! The one place that picks the CPU's widest vector set, once, at run time.
//!
//! Kernels come in two kinds. A plain loop inside [`vectorized!`](crate::simd::vectorized) is compiled once for each
//! vector set and the widest one runs. Where the compiler does not find the instruction that makes the difference
//! (byte permutes, expand), a kernel of `fearless_simd::kernel!` names it, beside a portable twin.

use fearless_simd::Level;

/// The vector set of this machine.
#[inline]
pub(crate) fn level() -> Level {
    Level::new()
}

/// Runs an expression compiled for the widest vector set. Functions called in it must be `#[inline(always)]`.
macro_rules! vectorized {
    ($body:expr) => {
        ::fearless_simd::dispatch!($crate::simd::level(), _simd => $body)
    };
}

pub(crate) use vectorized;
