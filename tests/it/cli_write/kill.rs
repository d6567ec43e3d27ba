//! Processes that are killed in the midst of writing.

use std::fs;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;

use super::{Folder, rows};
use crate::cli::{command, names, printed};

/// Numbers that differ from run to run; where a process is killed is up to the machine anyway.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time after 1970");
        Self(now.as_nanos() as u64 | 1)
    }

    /// A number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n.max(1)
    }
}

/// A conversion of some size, and what it writes.
struct Job {
    folder: Folder,
    input: String,
    out: String,
    whole: RecordBatch,
}

impl Job {
    fn new() -> Self {
        let folder = Folder::new();
        let text: String = (0..8_000).map(|i| format!("{i},{},word {}\n", i * 7919 % 10_007, i % 97)).collect();
        let input = folder.file("in.csv", "a,b,c\n".to_owned() + &text);
        let out = folder.path("out.parquet");
        printed(&["convert", "--row-group-rows", "800", &input, &out]);
        let whole = rows(&out);
        assert_eq!(whole.num_rows(), 8_000);
        fs::remove_file(&out).expect("removed");
        Self { folder, input, out, whole }
    }

    fn start(&self) -> Child {
        let args = ["convert", "--row-group-rows", "800", &self.input, &self.out];
        command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    }

    /// How long it takes when nobody kills it.
    fn duration(&self) -> Duration {
        let run = || {
            let start = Instant::now();
            assert!(self.start().wait().expect("an end").success());
            start.elapsed()
        };
        (0..3).map(|_| run()).min().expect("three runs")
    }

    /// Kills it after a while, and holds that OUT is what it may be. Returns how it ended.
    fn kill_after(&self, delay: Duration, old: Option<&[u8]>) -> ExitStatus {
        match old {
            Some(old) => fs::write(&self.out, old).expect("written"),
            None => drop(fs::remove_file(&self.out)),
        }
        let mut child = self.start();
        std::thread::sleep(delay);
        child.kill().expect("killed or over");
        let ended = child.wait().expect("an end");
        match (fs::read(&self.out), old) {
            (Err(_), None) => assert!(!ended.success(), "a conversion that went well left no file"),
            (Err(error), Some(_)) => panic!("the old file is gone: {error}"),
            (Ok(bytes), Some(old)) if bytes == old => assert!(!ended.success(), "a conversion that went well left the old file"),
            (Ok(_), _) => assert!(rows(&self.out) == self.whole, "there is a file, but it is not whole"),
        }
        self.remove_temporary_files();
        ended
    }

    /// What a killed process cannot remove has a hidden name that says what it is.
    fn remove_temporary_files(&self) {
        for name in names(self.folder.0.path()) {
            if name == "in.csv" || name == "out.parquet" {
                continue;
            }
            assert!(name.starts_with(".out.parquet.") && name.ends_with(".tmp"), "{name}");
            fs::remove_file(self.folder.path(&name)).expect("removed");
        }
    }
}

#[test]
fn a_conversion_that_is_killed_leaves_the_old_file_or_the_new_one() {
    use std::os::unix::process::ExitStatusExt;
    let (job, mut random) = (Job::new(), Random::new());
    let old = fs::read(Path::new(&crate::cli::data("one-row.v1.parquet"))).expect("a file");
    let mut most = job.duration() * 5 / 4;
    let (mut kills, mut finished) = (0, 0);
    let mut runs = 0;
    // A hundred kills that came before the end, and some that came too late: only then was every moment tried.
    while kills < 100 || finished < 5 {
        runs += 1;
        assert!(runs < 2000, "of {runs} runs {kills} were killed and {finished} were not");
        let delay = Duration::from_nanos(random.below(most.as_nanos() as u64));
        let ended = job.kill_after(delay, (runs % 2 == 0).then_some(old.as_slice()));
        if ended.success() {
            finished += 1;
        } else {
            assert_eq!(ended.signal(), Some(9), "it ended by itself, and not well: {ended}");
            kills += 1;
        }
        // The machine may be slower or faster now than when the time was taken.
        if runs % 50 == 0 {
            most = if finished * 10 < runs { most * 3 / 2 } else { most };
            most = if kills * 2 < runs { most * 2 / 3 } else { most };
        }
    }
}

#[test]
fn the_check_sees_files_that_are_not_whole() {
    let job = Job::new();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        printed(&["convert", "--row-group-rows", "800", "--columns", "a,b", &job.input, &job.out]);
        assert!(rows(&job.out) == job.whole, "there is a file, but it is not whole");
    }));
    assert!(ended.is_err(), "a file without a column is not whole");
    let mut bytes = fs::read(&job.out).expect("a file");
    bytes.truncate(bytes.len() - 1);
    fs::write(&job.out, bytes).expect("written");
    assert!(std::panic::catch_unwind(|| rows(&job.out)).is_err(), "a file without its last byte is not whole");
}
