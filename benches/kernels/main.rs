//! Kernels beside their naive twins, by the crate's public interface: `<true>` is ours and `<false>` the twin.
//!
//! Lengths are those of a block in the first-level cache and of a page that is not.

mod decoding;
mod encoding;
mod levels;
mod naive;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Values a page.
const LENGTHS: [usize; 2] = [4096, 1_000_000];

fn main() {
    divan::main();
}
