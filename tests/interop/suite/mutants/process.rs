//! Processes of their own that read mutants, since the official crate may panic over one, reserve gigabytes for it or not come to an end.
//! They have a cap of memory; one that dies or stands still is replaced by one that goes on behind the mutant that it had come to.

use std::fs::{self, File};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::exceptions::Unbroken;
use super::{Verdict, readings};
use crate::mutate::Victim;

/// Kilobytes of address space that a process may have.
const MEMORY: &str = "2000000";

/// A mutant that takes longer than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Processes beside each other.
const SHARDS: usize = 2;

/// What a shard is told: where it is to begin, and where to write what it finds.
const JOB: &str = "HERRINGBONE_DIFFERENTIAL_JOB";

/// The verdicts on all mutants of all files.
pub fn run(folder: &Path) -> Vec<Verdict> {
    std::thread::scope(|scope| {
        let shards: Vec<_> = (0..SHARDS).map(|shard| scope.spawn(move || run_shard(folder, shard))).collect();
        shards.into_iter().flat_map(|shard| shard.join().expect("a shard's verdicts")).collect()
    })
}

/// Runs processes until one comes to the end of the shard.
fn run_shard(folder: &Path, shard: usize) -> Vec<Verdict> {
    let (mut verdicts, mut from) = (Vec::new(), (shard, 0));
    loop {
        let out = folder.join(format!("shard-{shard}"));
        fs::write(&out, "").expect("an empty file");
        let job = format!("{} {} {}", from.0, from.1, out.display());
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")])
            .arg(program)
            .args(["--exact", "mutants::process::shard", "--ignored", "--nocapture"])
            .env(JOB, job)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        wait(&mut child, &out);
        let found = fs::read_to_string(&out).expect("what the process found");
        let mut last = None;
        for line in found.lines() {
            let mut words = line.splitn(4, ' ');
            let mut number = || words.next().and_then(|word| word.parse::<usize>().ok()).expect("a number");
            let at = (number(), number());
            let (kind, rest) = (words.next().expect("a verdict"), words.next().unwrap_or_default());
            last = Some((at, kind.to_owned(), rest.to_owned()));
            match kind {
                "end" => return verdicts,
                "ours" | "theirs" => {}
                _ => verdicts.push(Verdict::parse(kind, rest)),
            }
        }
        match last {
            Some((at, kind, _)) if kind == "theirs" => {
                verdicts.push(Verdict::TheyDied);
                from = (at.0, at.1 + 1);
            }
            other => panic!("a process ended while it had {other:?}"),
        }
    }
}

/// Waits until a process ends, or kills it when nothing is written for a while.
fn wait(child: &mut Child, out: &Path) {
    let size = || out.metadata().map_or(0, |file| file.len());
    let (mut known, mut since) = (size(), Instant::now());
    while child.try_wait().expect("a process of ours").is_none() {
        std::thread::sleep(Duration::from_millis(20));
        if size() != known {
            (known, since) = (size(), Instant::now());
        } else if since.elapsed() > PATIENCE {
            child.kill().expect("killed");
        }
    }
}

/// Every `SHARDS`th file from the one that it is told on.
#[test]
#[ignore = "a process of the test of mutants"]
fn shard() {
    let Ok(job) = std::env::var(JOB) else { return };
    let mut words = job.splitn(3, ' ');
    let mut number = || words.next().and_then(|word| word.parse::<usize>().ok()).expect("a number");
    let (first_file, mut first) = (number(), number());
    let mut out = File::options().append(true).open(words.next().expect("a path")).expect("a file");
    let mut say = |line: String| out.write_all(format!("{}\n", line.replace('\n', " ")).as_bytes()).expect("written");
    std::panic::set_hook(Box::new(|_| {}));
    for (file, path) in super::files().iter().enumerate().skip(first_file).step_by(SHARDS) {
        judge_file(path, std::mem::take(&mut first), |mutant, what| say(format!("{file} {mutant} {what}")));
    }
    say("0 0 end".to_owned());
}

/// Says of each mutant of a file, from the first that is asked for on, that it is read by us, then by them, and what comes of it.
fn judge_file(path: &Path, first: usize, mut say: impl FnMut(usize, &str)) {
    let victim = Victim::new(fs::read(path).expect("a readable file"));
    let name = path.file_name().expect("a name").to_string_lossy();
    let unbroken = Unbroken::of(&name, &Bytes::from(victim.bytes.clone()));
    if let Some(how) = super::fault_of_unbroken(&victim, &unbroken) {
        say(0, &Verdict::Differs(how).line(&name));
    }
    for (index, mutation) in super::share(&victim).into_iter().enumerate().skip(first) {
        let bytes = victim.broken(mutation);
        say(index, "ours");
        let ours = readings::ours(&bytes);
        say(index, "theirs");
        let verdict = match catch_unwind(AssertUnwindSafe(|| readings::theirs(&bytes))) {
            Err(_) => Verdict::TheyPanicked,
            Ok(theirs) => super::judge(ours, theirs, &victim, mutation, &unbroken),
        };
        say(index, &verdict.line(&format!("{name} {mutation:?}")));
    }
}

impl Verdict {
    fn line(&self, name: &str) -> String {
        match self {
            Verdict::Exception(reason) => format!("exception {reason}"),
            Verdict::OnlyTheirs(refusal) => format!("only-theirs {name}: {refusal}"),
            Verdict::Differs(how) => format!("differs {name}: {how}"),
            other => format!("{other:?}"),
        }
    }

    fn parse(kind: &str, rest: &str) -> Self {
        match kind {
            "exception" => Verdict::Exception(rest.to_owned()),
            "differs" => Verdict::Differs(rest.to_owned()),
            "only-theirs" => Verdict::OnlyTheirs(rest.to_owned()),
            "Equal" => Verdict::Equal,
            "OnlyOurs" => Verdict::OnlyOurs,
            "Neither" => Verdict::Neither,
            "TheyPanicked" => Verdict::TheyPanicked,
            other => panic!("a verdict {other}"),
        }
    }
}
