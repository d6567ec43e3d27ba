//! Faults that are planted one by one: `verify` names each of them, at its place, and nothing else.

mod faults;
mod parts;

use bytes::Bytes;
use faults::Fault;
use herringbone::verify::{Code, Severity, VerifyOptions, verify};
use parts::{COLUMNS, Parts, write};

fn leaked(bytes: Vec<u8>) -> &'static [u8] {
    Box::leak(bytes.into_boxed_slice())
}

/// What is wrong with what was found of a fault.
fn judge(fault: &Fault, file: Vec<u8>) -> Result<(), String> {
    let report = verify(&Bytes::from(file), &VerifyOptions::default()).map_err(|error| error.to_string())?;
    let findings = &report.findings;
    let column = fault.column.map(|column| COLUMNS[column]);
    let is_here = |place: &herringbone::Place| {
        place.row_group == fault.row_group && place.column.as_deref() == column && (fault.page.is_none() || place.page == fault.page)
    };
    let all = findings.iter().map(|finding| format!("\n    {finding}")).collect::<String>();
    if !findings.iter().any(|finding| finding.code == fault.code && is_here(&finding.place)) {
        return Err(format!("{} was not found where it is:{all}", fault.code));
    }
    let is_expected = |code: Code, place: &herringbone::Place| fault.also.contains(&code) || (code == fault.code && is_here(place));
    let surprise = findings.iter().find(|finding| !is_expected(finding.code, &finding.place));
    if let Some(surprise) = surprise {
        return Err(format!("{} came with {}:{all}", fault.code, surprise.code));
    }
    match fault.also.iter().find(|code| findings.iter().all(|finding| finding.code != **code)) {
        Some(missing) => Err(format!("{} came without {missing}:{all}", fault.code)),
        None => Ok(()),
    }
}

#[test]
fn every_planted_fault_is_named_at_its_place() {
    let bytes = leaked(write());
    let whole = Parts::new(bytes).assemble();
    assert_eq!(whole, bytes, "taken apart and put together");
    super::assert_clean(&whole);
    let faults = faults::all();
    let mut complaints = Vec::new();
    for fault in &faults {
        let mut parts = Parts::new(bytes);
        (fault.plant)(&mut parts);
        complaints.extend(judge(fault, parts.assemble()).err());
    }
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), faults.len(), complaints.join("\n"));
}

#[test]
fn every_code_is_planted() {
    let planted: Vec<Code> = faults::all().iter().map(|fault| fault.code).collect();
    let notes = |code: &Code| code.severity() == Severity::Note;
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !notes(code) && !planted.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
