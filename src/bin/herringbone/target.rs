//! Files that are written: whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::failure::{Failure, Result};

/// A file that appears under its name when it is finished, and never before.
///
/// It is written under a temporary name in the same folder, synced, and renamed; an earlier file of the name stays as it
/// is until then. Dropping it removes the temporary file. What is no regular file, such as a pipe, is written directly.
pub struct Target {
    path: PathBuf,
    overwrite: bool,
    sink: Sink,
}

enum Sink {
    Temporary(NamedTempFile),
    Direct(File),
}

impl Target {
    /// Begins to write `path`; without `overwrite` it must not be there.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self> {
        // A link shall go on pointing to the file, so it is the file that is replaced.
        let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let existing = fs::metadata(&resolved).ok();
        if existing.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(Failure::Usage(format!("{} is a folder", path.display())));
        }
        if existing.is_some() && !overwrite {
            return Err(Failure::Usage(format!("{} exists already", path.display())));
        }
        let failed = |error: io::Error| Failure::at(path, "cannot create", error);
        let sink = match &existing {
            Some(metadata) if !metadata.is_file() => Sink::Direct(File::options().write(true).open(&resolved).map_err(failed)?),
            _ => Sink::Temporary(temporary(&resolved, existing.as_ref()).map_err(failed)?),
        };
        Ok(Self { path: resolved, overwrite, sink })
    }

    /// Gives the file its name, once everything in it is on the disk.
    pub fn finish(self) -> Result {
        let path = self.path;
        let failed = |error: io::Error| Failure::at(&path, "cannot write", error);
        match self.sink {
            // Pipes and devices do not sync.
            Sink::Direct(mut file) => file.flush().map_err(failed),
            Sink::Temporary(file) => {
                file.as_file().sync_all().map_err(failed)?;
                let persisted = if self.overwrite { file.persist(&path) } else { file.persist_noclobber(&path) };
                persisted.map_err(|error| failed(error.error))?;
                sync_folder(&path).map_err(failed)
            }
        }
    }

    fn file(&mut self) -> &mut File {
        match &mut self.sink {
            Sink::Temporary(file) => file.as_file_mut(),
            Sink::Direct(file) => file,
        }
    }

    fn named(&self, error: io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes).map_err(|error| self.named(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush().map_err(|error| self.named(error))
    }
}

fn temporary(path: &Path, existing: Option<&fs::Metadata>) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this names no file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = format!(".{}.", name.to_string_lossy());
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    // The mode that any other program would give a new file, or that of the file that is replaced.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder)?;
    if let Some(existing) = existing {
        file.as_file().set_permissions(existing.permissions())?;
    }
    Ok(file)
}

/// The new name is on the disk only when the folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // Some file systems do not sync folders, and none needs to for the file to be whole.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut target = Target::create(&path, true).unwrap();
        target.write_all(b"whole").unwrap();
        assert!(!path.exists());
        target.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["out.csv"]);
    }

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        fs::write(&path, b"before").unwrap();
        let mut target = Target::create(&path, true).unwrap();
        target.write_all(b"half").unwrap();
        drop(target);
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert_eq!(names(folder.path()), ["out.csv"]);
    }

    #[test]
    fn files_and_folders_are_spared() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let target = Target::create(&path, false).unwrap();
        fs::write(&path, b"came in between").unwrap();
        assert!(target.finish().is_err());
        assert!(matches!(Target::create(&path, false), Err(Failure::Usage(_))));
        assert_eq!(fs::read(&path).unwrap(), b"came in between");
        assert!(matches!(Target::create(folder.path(), true), Err(Failure::Usage(_))));
        assert!(matches!(Target::create(&folder.path().join("no/such"), true), Err(Failure::File(_))));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_modes_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&path, b"before").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        let mut target = Target::create(&link, true).unwrap();
        target.write_all(b"after").unwrap();
        target.finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"after");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_written_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let mut target = Target::create(Path::new("/dev/null"), true).unwrap();
        target.write_all(b"gone").unwrap();
        target.finish().unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }
}
