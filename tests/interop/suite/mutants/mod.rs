//! Broken files that we read are read by the official crate as well, where that does not fail: the values are equal.
//!
//! What else comes of a mutant has to have a reason that is known, and no more mutants may have it than today.
//! `HERRINGBONE_DIFFERENTIAL` says how many mutants of each file there are.

mod difference;
mod exceptions;
mod process;
mod readings;
mod refusals;

use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;

use self::difference::difference;
use self::exceptions::{EXCEPTIONS, Unbroken};
use self::readings::Theirs;
use self::refusals::REFUSALS;
use crate::mutate::{Mutation, Victim};
use crate::python;

/// Mutants of one file, unless the environment says otherwise.
const SHARE: usize = 40;

/// Larger files are left out.
const LARGEST: u64 = 100_000;

/// What came of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Equal,
    OnlyOurs,
    /// With what we say of it.
    OnlyTheirs(String),
    Neither,
    TheyPanicked,
    TheyDied,
    /// For one of the known reasons.
    Exception(String),
    Differs(String),
}

#[test]
fn mutants_that_both_read_have_equal_values() {
    let verdicts = process::run(&python::folder("differential"));
    let count = |wanted: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| wanted(verdict)).count();
    let equal = count(|verdict| *verdict == Verdict::Equal);
    println!(
        "official crate: {} mutants, {equal} read by both with equal values, {} only by us, {} only by it, {} by neither; it panicked over {}, died of {}; {} exceptions",
        verdicts.len(),
        count(|verdict| *verdict == Verdict::OnlyOurs),
        count(|verdict| matches!(verdict, Verdict::OnlyTheirs(_))),
        count(|verdict| *verdict == Verdict::Neither),
        count(|verdict| *verdict == Verdict::TheyPanicked),
        count(|verdict| *verdict == Verdict::TheyDied),
        count(|verdict| matches!(verdict, Verdict::Exception(_))),
    );
    let faults: Vec<String> = verdicts.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{} mutants differ:\n{}", faults.len(), faults.join("\n"));
    assert!(equal > 2_000, "{equal} mutants were compared");
    assert_no_more_than_known(&verdicts);
}

/// A difference, or a refusal, for which there is no reason.
fn fault(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Differs(how) => Some(how.clone()),
        Verdict::OnlyTheirs(refusal) if refusals::reason(refusal).is_none() => Some(format!("refused only by us: {refusal}")),
        _ => None,
    }
}

/// Of each reason there are no more mutants than are known; of a share of another size nothing is known.
fn assert_no_more_than_known(verdicts: &[Verdict]) {
    let excepted = |why: &str| verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Exception(reason) if reason == why)).count();
    let refused = |why: &str| {
        let is_so = |verdict: &&Verdict| matches!(verdict, Verdict::OnlyTheirs(refusal) if refusals::reason(refusal) == Some(why));
        verdicts.iter().filter(is_so).count()
    };
    let counts: Vec<(&str, usize, usize)> = (EXCEPTIONS.iter().map(|(why, most)| (*why, excepted(why), *most)))
        .chain(REFUSALS.iter().map(|refusal| (refusal.why, refused(refusal.why), refusal.most)))
        .collect();
    for (why, found, most) in &counts {
        println!("  {found} of {most}: {why}");
    }
    if mutants_of_each() == SHARE {
        let more: Vec<_> = counts.iter().filter(|(_, found, most)| found > most).collect();
        assert!(more.is_empty(), "more mutants than there were: {more:?}");
    }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let entries = fs::read_dir(folder).expect("testdata").map(|entry| entry.expect("an entry").path());
    let small =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "parquet") && path.metadata().is_ok_and(|file| file.len() < LARGEST);
    let mut files: Vec<PathBuf> = entries.filter(small).collect();
    files.sort();
    files
}

/// The share of a file's mutations; every file begins at another place, so that the share is of all kinds.
fn share(victim: &Victim) -> Vec<Mutation> {
    let all = victim.mutations();
    let step = all.len().div_ceil(mutants_of_each()).max(1);
    let first = victim.bytes.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into())) % step;
    all.into_iter().skip(first).step_by(step).collect()
}

fn mutants_of_each() -> usize {
    std::env::var("HERRINGBONE_DIFFERENTIAL").map_or(SHARE, |number| number.parse().expect("a number of mutants"))
}

/// A mutation that changes nothing.
const NOTHING: Mutation = Mutation::Hole(usize::MAX / 2, 0);

/// How the two readings of the file itself differ, other than is known.
fn fault_of_unbroken(victim: &Victim, unbroken: &Unbroken) -> Option<String> {
    let (ours, theirs) = (unbroken.ours.clone()?, unbroken.theirs.clone()?);
    match (judge(Ok(ours), Ok(theirs), victim, NOTHING, unbroken), unbroken.known) {
        (Verdict::Differs(how), _) => Some(how),
        (Verdict::Equal, Some(_)) => Some("the official crate reads it now, which is said not to".to_owned()),
        // Or it is as it was said to be.
        _ => None,
    }
}

/// What the two readings of a mutant come to.
fn judge(
    ours: Result<Vec<RecordBatch>, String>,
    theirs: Result<Theirs, String>,
    victim: &Victim,
    mutation: Mutation,
    unbroken: &Unbroken,
) -> Verdict {
    let (ours, theirs) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Ok(_), Err(_)) => return Verdict::OnlyOurs,
        (Err(refusal), Ok(_)) => return Verdict::OnlyTheirs(refusal),
        (Err(_), Err(_)) => return Verdict::Neither,
    };
    let Some(how) = difference(&ours, &theirs.batches) else { return Verdict::Equal };
    match exceptions::exception(&ours, &theirs, victim, mutation, unbroken) {
        Some(reason) => Verdict::Exception(reason.to_owned()),
        None => Verdict::Differs(how),
    }
}
