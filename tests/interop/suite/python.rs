//! The Python that the other readers live in.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs `readers` with arguments and shows what it says; it must end well.
pub fn run(arguments: &[&str]) -> String {
    let python = std::env::var("HERRINGBONE_PYTHON")
        .expect("set HERRINGBONE_PYTHON to a Python that has what tests/interop/requirements.txt lists (`.ci/run interop` makes one)");
    let mut command = Command::new(python);
    command.arg("-m").arg("readers").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env("PYTHONDONTWRITEBYTECODE", "1");
    let done = command.stderr(Stdio::inherit()).output().expect("HERRINGBONE_PYTHON names a program that can be run");
    let said = String::from_utf8(done.stdout).expect("text");
    print!("{said}");
    assert!(done.status.success(), "readers {} ended with {}: see above", arguments.join(" "), done.status);
    said
}

/// The number before some words in the last line of what was said that has them.
pub fn number(said: &str, words: &str) -> usize {
    let before = said.rsplit_once(words).unwrap_or_else(|| panic!("nothing is said of{words}")).0;
    let digits = before.len() - before.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    before[before.len() - digits..].parse().unwrap_or_else(|_| panic!("no number is before{words}"))
}

/// An empty folder for the files of a test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
