//! Writes what the targets begin from into a folder, with a folder for each target.

use std::path::PathBuf;

use herringbone_fuzz::targets;
// What calls of instrumented code go to.
use libfuzzer_sys as _;

fn main() {
    let folder: PathBuf = std::env::args_os().nth(1).expect("a folder to write to").into();
    let mut counts = vec![0; targets::ALL.len()];
    for seed in targets::seeds() {
        let target = targets::ALL.iter().position(|(name, _)| *name == seed.target).expect("a target");
        let folder = folder.join(seed.target);
        std::fs::create_dir_all(&folder).expect("a folder to write to");
        let name = format!("seed-{:04}", counts[target]);
        std::fs::write(folder.join(name), &seed.bytes).expect("a folder to write to");
        counts[target] += 1;
    }
    for ((name, _), count) in targets::ALL.iter().zip(counts) {
        println!("{count:>6} {name}");
    }
}
