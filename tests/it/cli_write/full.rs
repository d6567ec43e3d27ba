//! Files that may not become as large as they want to.

use std::fs;
use std::process::{Command, Output};

use super::Folder;
use crate::cli::names;

/// Runs the command where no file may have more than so many blocks of 512 bytes; writing beyond is an error as on a full disk.
fn limited(blocks: usize, args: &[&str]) -> Output {
    let script = format!("ulimit -f {blocks} && trap '' XFSZ && exec \"$0\" \"$@\"");
    Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_herringbone")]).args(args).output().expect("a shell")
}

#[test]
fn a_file_that_does_not_fit_leaves_nothing_under_its_name() {
    let folder = Folder::new();
    let text: String = (0..4_000).map(|i| format!("{i},{},word {}\n", i * 7919 % 10_007, i % 97)).collect();
    let (input, out) = (folder.file("in.csv", "a,b,c\n".to_owned() + &text), folder.path("out.parquet"));
    let args = ["convert", "--row-group-rows", "400", &input, &out];
    assert!(limited(10_000, &args).status.success());
    let whole = fs::read(&out).expect("a file");
    let most = whole.len() / 512;
    for blocks in 0..=most {
        let failed = limited(blocks, &args);
        let message = String::from_utf8_lossy(&failed.stderr);
        assert_eq!(failed.status.code(), Some(1), "{blocks} blocks: {message}");
        assert!(message.contains("out.parquet"), "{blocks} blocks: {message}");
        // The old file is as it was, or there is none.
        if blocks % 2 == 0 {
            assert!(fs::read(&out).expect("the old file") == whole, "{blocks} blocks");
            fs::remove_file(&out).expect("removed");
        } else {
            assert_eq!(names(folder.0.path()), ["in.csv"], "{blocks} blocks");
            fs::write(&out, &whole).expect("a file");
        }
    }
}
