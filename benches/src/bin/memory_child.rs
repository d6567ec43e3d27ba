//! `memory_child ENGINE whole|stream[:ROWS[:THREADS]] FILE`: reads a file, and prints its own peak and the size of the arrays in KiB.
#![forbid(unsafe_code)]

use std::path::Path;

fn main() -> benches::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [engine, way, path] = args.as_slice() else {
        return Err("memory_child is started by `benches memory`".into());
    };
    benches::memory::run_child(engine, way, Path::new(path))
}
