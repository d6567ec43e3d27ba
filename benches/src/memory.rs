//! Peak memory of reading, each engine in a process of its own.

use std::path::Path;
use std::process::Command;

use crate::engines::{self, Engine};
use crate::report::{Row, Section};
use crate::{Result, make};

/// The file that is read.
const FILE: &str = "lineitem";
/// The program that a child is. It has the system's allocator: what another one keeps for itself, and rounds to, would count as the reader's.
const CHILD: &str = "memory_child";

/// The setting of the allocator that makes it keep what is given back to it.
pub const KEEP: &str = "MIMALLOC_PURGE_DELAY";

/// What a child does: how it is told so, and in words.
const WAYS: [(&str, &str); 7] = [
    ("whole", "all batches held"),
    ("stream", "batches dropped as they come, of each engine's own size"),
    ("stream:1024", "of 1,024 rows"),
    ("stream:8192", "of 8,192 rows"),
    ("stream:65536", "of 65,536 rows"),
    ("stream:0:2", "of each engine's own size, on two threads"),
    ("stream:8192:2", "of 8,192 rows, on two threads"),
];

/// Peak resident memory of a process that reads a file like lineitem and ends, and what of it the file's arrays take.
pub fn section(folder: &Path, scale: f64) -> Result<Section> {
    let path = make::file(folder, FILE, scale)?;
    let engines = engines::all();
    let names = engines.iter().map(|engine| engine.name()).collect();
    let mut rows = Vec::new();
    for (way, what) in WAYS {
        rows.push(row(format!("{FILE}, {what}"), engines.iter().map(|engine| child(engine.name(), way, &path)).collect()));
    }
    Ok(Section { title: "Peak memory".into(), unit: "MiB", engines: names, rows })
}

fn row(subject: String, found: Vec<Result<(f64, f64)>>) -> Row {
    let arrays = found.iter().flatten().map(|(_, arrays)| format!("{arrays:.0}")).collect::<Vec<_>>().join(" / ");
    let held = found.iter().flatten().any(|(_, arrays)| *arrays > 0.0);
    let note = if held { format!("arrays of {arrays} MiB") } else { String::new() };
    Row { subject, measures: found.into_iter().map(|peak| Ok(peak.map_err(|error| error.to_string())?.0)).collect(), note }
}

/// Peak and arrays in MiB, from a child.
fn child(engine: &str, way: &str, path: &Path) -> Result<(f64, f64)> {
    let program = std::env::current_exe()?.with_file_name(CHILD).with_extension(std::env::consts::EXE_EXTENSION);
    let output = Command::new(program).args([engine, way]).arg(path).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(peak)), Some(Ok(arrays))) => Ok((peak / 1024.0, arrays / 1024.0)),
        _ => Err(format!("a child printed '{text}'").into()),
    }
}

/// What a child does: reads, and prints its own peak and the size of the arrays in KiB.
pub fn run_child(engine: &str, way: &str, path: &Path) -> Result<()> {
    let engines = engines::all();
    let engine: &dyn Engine = engines.iter().find(|known| known.name() == engine).ok_or("there is no such engine")?.as_ref();
    let mut words = way.split(':');
    let arrays = match words.next() {
        Some("stream") => {
            let mut number = || words.next().map(str::parse::<usize>).transpose();
            let rows = number()?.filter(|rows| *rows > 0);
            engine.stream(path, rows, number()?.unwrap_or(1))?;
            0
        }
        _ => engine.read(path, None, 1)?.bytes(),
    };
    println!("{} {}", peak()?, arrays / 1024);
    Ok(())
}

/// `VmHWM` of this process in KiB.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| format!("peak memory is known on Linux only: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("/proc/self/status names no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
