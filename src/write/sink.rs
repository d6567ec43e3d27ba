//! Local files that appear under their name whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// How a local file is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkOptions {
    /// Whether a file that is there already is replaced. Default: true.
    pub overwrite: bool,
    /// Whether the file's bytes are on the disk before it gets its name, so that not even a loss of power leaves a name
    /// without them. Default: true.
    pub sync: bool,
    /// Whether the folder is on the disk as well before it is done, so that the name stays. Default: false.
    pub sync_folder: bool,
}

impl Default for SinkOptions {
    fn default() -> Self {
        Self { overwrite: true, sync: true, sync_folder: false }
    }
}

/// A file that is written beside its name and renamed by [`commit`](Self::commit). Dropped before that, it is removed: a writer that is
/// given one hands it back by `close_into`, while `FileWriter::create` and `ArrowWriter::create` commit theirs.
#[derive(Debug)]
pub struct LocalFile {
    file: Option<File>,
    temporary: PathBuf,
    target: PathBuf,
    options: SinkOptions,
}

impl LocalFile {
    /// Makes a file beside `path`: hidden, with a random name, in the same folder.
    ///
    /// # Errors
    /// `Usage` when there is something at `path` that is no file, or a file that is not to be replaced; `Io` when the file
    /// cannot be made.
    pub fn create(path: impl AsRef<Path>, options: SinkOptions) -> Result<Self> {
        let target = target(path.as_ref())?;
        match fs::metadata(&target) {
            Ok(found) if !found.is_file() => {
                return Err(Error::usage("there is something at the path that is no file: give it to FileWriter::new as an open file"));
            }
            Ok(_) if !options.overwrite => return Err(there_already()),
            _ => {}
        }
        let name = target.file_name().ok_or_else(|| Error::usage("the path does not end in a file's name"))?;
        let folder = target.parent().unwrap_or(Path::new(""));
        loop {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{:016x}.tmp", RandomState::new().hash_one(std::process::id())));
            let temporary = folder.join(hidden);
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => return Ok(Self { file: Some(file), temporary, target, options }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.target
    }

    /// Where the file is until then.
    pub(super) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Copies the first `n` bytes of another file, by the system where it can.
    pub(super) fn copy_from(&mut self, file: &File, n: u64) -> Result<()> {
        let copied = io::copy(&mut file.take(n), self.open()?)?;
        match copied == n {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was copied").into()),
        }
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// `Io` when it cannot be synced or renamed; `Usage` when there is a file now that is not to be replaced. The file is
    /// removed then.
    pub fn commit(mut self) -> Result<()> {
        let target = self.target.display().to_string();
        self.rename().map_err(|error| error.in_file(target))
    }

    fn rename(&mut self) -> Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let renamed = self.settle(file);
        if renamed.is_err() {
            self.remove();
        }
        renamed
    }

    fn settle(&self, file: File) -> Result<()> {
        if self.options.sync {
            file.sync_all()?;
        }
        // Some systems rename no open file.
        drop(file);
        if self.options.overwrite {
            fs::rename(&self.temporary, &self.target)?;
        } else {
            // Unlike a rename, a second name is refused where there is a file.
            match fs::hard_link(&self.temporary, &self.target) {
                Ok(()) => fs::remove_file(&self.temporary)?,
                Err(_) => self.rename_without_links()?,
            }
        }
        if self.options.sync_folder {
            sync_folder(self.target.parent())?;
        }
        Ok(())
    }

    /// Gives the file its name where it cannot be linked: an empty file has the name first, which is refused where there is a file.
    fn rename_without_links(&self) -> Result<()> {
        OpenOptions::new().write(true).create_new(true).open(&self.target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => there_already(),
            _ => error.into(),
        })?;
        fs::rename(&self.temporary, &self.target).map_err(|error| {
            // Nobody else can have written to it under this name but on purpose.
            drop(fs::remove_file(&self.target));
            error.into()
        })
    }

    fn remove(&self) {
        // There is nobody to tell when this fails, and the name is not that of a finished file.
        drop(fs::remove_file(&self.temporary));
    }

    fn open(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::Error::other("the file is committed"))
    }
}

impl Write for LocalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open()?.flush()
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            drop(file);
            self.remove();
        }
    }
}

/// The file that a link stands for: a rename would replace the link.
fn target(path: &Path) -> Result<PathBuf> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => match fs::canonicalize(path) {
            Ok(target) => Ok(target),
            Err(error) => Err(Error::from(error)),
        },
        _ => Ok(path.to_owned()),
    }
}

#[cold]
fn there_already() -> Error {
    Error::usage("there is a file already, which is not to be replaced")
}

#[cfg(unix)]
fn sync_folder(folder: Option<&Path>) -> Result<()> {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Elsewhere folders cannot be opened, nor need they be.
#[cfg(not(unix))]
fn sync_folder(_: Option<&Path>) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_appear_when_committed_and_leave_nothing_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let mut file = LocalFile::create(&path, SinkOptions { sync_folder: true, ..SinkOptions::default() }).unwrap();
        file.write_all(b"one").unwrap();
        assert!(!path.exists() && names(folder.path()).len() == 1);
        file.commit().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (b"one".to_vec(), vec!["a.parquet".to_owned()]));
        let mut file = LocalFile::create(&path, SinkOptions::default()).unwrap();
        file.write_all(b"two").unwrap();
        drop(file);
        assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"one".to_vec(), 1));
        LocalFile::create(&path, SinkOptions::default()).unwrap().commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn files_are_not_replaced_against_the_options() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let keep = SinkOptions { overwrite: false, ..SinkOptions::default() };
        let late = LocalFile::create(&path, keep).unwrap();
        LocalFile::create(&path, keep).unwrap().commit().unwrap();
        assert_eq!(late.commit().unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(LocalFile::create(&path, keep).unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(names(folder.path()), ["a.parquet"]);
        assert_eq!(LocalFile::create(folder.path(), SinkOptions::default()).unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(LocalFile::create(folder.path().join("no/a"), SinkOptions::default()).unwrap_err().kind(), ErrorKind::Io);
    }

    #[test]
    fn without_links_files_are_not_replaced_either() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let begun = || {
            let mut file = LocalFile::create(&path, SinkOptions::default()).unwrap();
            file.write_all(b"whole").unwrap();
            file
        };
        begun().rename_without_links().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(begun().rename_without_links().unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(names(folder.path()), ["a.parquet"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("link"));
        fs::write(&path, b"old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = LocalFile::create(&link, SinkOptions::default()).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
    }
}
