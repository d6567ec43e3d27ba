//! Files that are written: whole or not at all, or standard output.

use std::fs::{self, File};
use std::io::{self, Stdout, Write};
use std::path::{Path, PathBuf};

use herringbone::write::{LocalFile, SinkOptions};

use crate::failure::{Failure, Result};

/// Whether a path stands for standard output.
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether what is written there can be begun again: bytes for standard output, a pipe or a device are gone.
pub fn begins_again(path: &Path) -> bool {
    !is_standard(path) && fs::metadata(path).map_or(true, |found| found.is_file())
}

/// Says what was done with OUT, where that does not get among its bytes.
pub fn say(output: &Path, done: &str) -> Result {
    if is_standard(output) {
        // If standard error is closed, nobody wants to know.
        let _ = writeln!(io::stderr(), "{done}");
        return Ok(());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{done}")?;
    Ok(out.flush()?)
}

/// A file that appears under its name when it is finished, and never before; dropping it leaves nothing. What is no
/// regular file, such as a pipe, is written directly, and so is standard output, whose name is `-`.
pub struct Target {
    path: PathBuf,
    file: Kind,
}

enum Kind {
    Local(LocalFile),
    Direct(File),
    Standard(Stdout),
}

impl Target {
    /// Begins to write `path`; without `overwrite` it must not be there.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self> {
        if is_standard(path) {
            return Ok(Self { path: "standard output".into(), file: Kind::Standard(io::stdout()) });
        }
        let file = match fs::metadata(path) {
            // A rename would put a file in the place of the device.
            Ok(found) if !found.is_file() && !found.is_dir() && overwrite => {
                let opened = File::options().write(true).open(path);
                Kind::Direct(opened.map_err(|error| Failure::at(path, "cannot write", error))?)
            }
            _ => {
                let created = LocalFile::create(path, SinkOptions { overwrite, sync_folder: true, ..SinkOptions::default() });
                Kind::Local(created.map_err(|error| error.in_file(path.display().to_string()))?)
            }
        };
        Ok(Self { path: path.to_owned(), file })
    }

    /// Gives the file its name, once everything in it is on the disk.
    pub fn finish(self) -> Result {
        match self.file {
            Kind::Local(file) => Ok(file.commit()?),
            Kind::Direct(mut file) => file.flush().map_err(|error| Failure::at(&self.path, "cannot write", error)),
            Kind::Standard(mut out) => Ok(out.flush()?),
        }
    }

    fn named(&self, error: io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.file {
            Kind::Local(file) => file.write(bytes),
            Kind::Direct(file) => file.write(bytes),
            Kind::Standard(out) => return out.write(bytes),
        };
        written.map_err(|error| self.named(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &mut self.file {
            Kind::Local(file) => file.flush(),
            Kind::Direct(file) => file.flush(),
            Kind::Standard(out) => return out.flush(),
        };
        flushed.map_err(|error| self.named(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut target = Target::create(&path, true).unwrap();
        target.write_all(b"whole").unwrap();
        assert!(!path.exists());
        target.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn files_and_folders_are_spared() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let target = Target::create(&path, false).unwrap();
        fs::write(&path, b"came in between").unwrap();
        assert!(matches!(target.finish(), Err(Failure::Usage(message)) if message.contains("out.csv")));
        assert!(matches!(Target::create(&path, false), Err(Failure::Usage(message)) if message.contains("out.csv")));
        assert_eq!(fs::read(&path).unwrap(), b"came in between");
        assert!(matches!(Target::create(folder.path(), true), Err(Failure::Usage(_))));
        assert!(matches!(Target::create(&folder.path().join("no/such"), true), Err(Failure::File(message)) if message.contains("no/such")));
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_written_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let mut target = Target::create(Path::new("/dev/null"), true).unwrap();
        target.write_all(b"gone").unwrap();
        target.finish().unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        assert!(Target::create(Path::new("/dev/null"), false).is_err());
    }
}
