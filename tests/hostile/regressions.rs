//! Inputs that were once too much for a fuzz target, and some that it begins from: none of them is any more.
//!
//! They lie in `tests/hostile/regressions`, a folder for each target.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::files;
use crate::targets;

/// What one input may take. Without optimisation everything is many times slower.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 3 });

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/regressions")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    paths
}

/// Runs a target, and says what was wrong.
fn run(target: &str, input: &[u8]) -> Result<(), String> {
    let began = Instant::now();
    catch_unwind(AssertUnwindSafe(|| targets::run(target, input)))
        .map_err(|panic| format!("{target}: {}", files::panic_message(&*panic)))?;
    match began.elapsed() {
        took if took > PATIENCE => Err(format!("{target} took {} ms", took.as_millis())),
        _ => Ok(()),
    }
}

#[test]
fn regressions_stay_away() {
    let mut inputs = Vec::new();
    for folder in entries(&folder()) {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        // Some need features.
        let is_built = targets::ALL.iter().any(|(target, _)| *target == name);
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/hostile/targets/{name}.rs"));
        assert!(is_built || source.exists(), "there is no target {name}");
        if !is_built {
            continue;
        }
        inputs.extend(entries(&folder).into_iter().map(|path| (name.clone(), path)));
    }
    assert!(!inputs.is_empty(), "no regressions are there");
    println!("{} inputs", inputs.len());
    files::for_each(
        &inputs,
        |(_, path)| path.display().to_string(),
        |(target, path)| run(target, &std::fs::read(path).expect("a readable file")),
    );
}

#[test]
fn targets_take_what_they_begin_from() {
    // A share of them, since the fuzzer begins with all.
    let seeds: Vec<_> = targets::seeds().into_iter().enumerate().filter(|(at, _)| at % 7 == 0).map(|(_, seed)| seed).collect();
    for (target, _) in targets::ALL {
        assert!(seeds.iter().any(|seed| seed.target == *target), "nothing to begin from for {target}");
    }
    files::for_each(&seeds, |seed| format!("{} for {}", seed.name, seed.target), |seed| run(seed.target, &seed.bytes));
}

#[test]
fn each_target_has_a_program() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
    // Not in the published package.
    if !manifest.exists() {
        return;
    }
    let manifest = std::fs::read_to_string(manifest).expect("a readable file");
    let programs: Vec<&str> = manifest.lines().filter_map(|line| line.strip_prefix("path = \"targets/")?.strip_suffix(".rs\"")).collect();
    let targets: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
    if cfg!(all(feature = "async", feature = "rayon", feature = "sql")) {
        assert_eq!(programs, targets);
    }
    assert!(targets.iter().all(|target| programs.contains(target)), "{targets:?} and {programs:?}");
}
