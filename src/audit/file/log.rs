//! A file of lines: whole lines only, whatever fails.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::super::{AuditError, Step};

/// The file by its path, and the open file while there is one.
pub(super) struct Log {
    path: PathBuf,
    synced: bool,
    file: Option<Lines>,
}

impl Log {
    pub(super) fn open(path: &Path, synced: bool) -> Result<Self, AuditError> {
        let file = Some(Lines::open(path, synced)?);
        Ok(Self { path: path.to_owned(), synced, file })
    }

    /// Appends whole lines, all or none. After a failure the file is closed: the next call opens
    /// it again, and so recovers when the disk does.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), AuditError> {
        let mut file = self.current()?;
        file.append(lines, self.synced, File::write_all)?;
        self.file = Some(file);
        Ok(())
    }

    /// Makes sure that the file is the one that the path names now.
    pub(super) fn reopen(&mut self) -> Result<(), AuditError> {
        let file = self.current()?;
        self.file = Some(file);
        Ok(())
    }

    /// Takes the open file if the path still names it, and opens the path otherwise.
    fn current(&mut self) -> Result<Lines, AuditError> {
        match self.file.take() {
            Some(file) if file.is_at(&self.path) => Ok(file),
            _ => Lines::open(&self.path, self.synced),
        }
    }

    #[cfg(test)]
    pub(super) fn of(path: &Path, file: File) -> Self {
        let metadata = file.metadata().unwrap();
        let lines = Lines { file, device: metadata.dev(), inode: metadata.ino() };
        Self { path: path.to_owned(), synced: false, file: Some(lines) }
    }
}

/// An open file that ends with a newline, or is empty, and that nobody else writes to.
struct Lines {
    file: File,
    device: u64,
    inode: u64,
}

impl Lines {
    fn open(path: &Path, synced: bool) -> Result<Self, AuditError> {
        let failed = |error| Step::Open.failed(error);
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(directory) = directory {
            DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        }
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => return Err(AuditError::NotAFile),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(AuditError::Locked),
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let metadata = file.metadata().map_err(failed)?;
        end_last_line(&mut file).map_err(|error| Step::Write.failed(error))?;
        if synced {
            let directory = directory.unwrap_or(Path::new("."));
            let sync = || {
                file.sync_all()?;
                File::open(directory)?.sync_all()
            };
            sync().map_err(|error| Step::Sync.failed(error))?;
        }
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), file })
    }

    fn is_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|now| now.dev() == self.device && now.ino() == self.inode)
    }

    /// Appends by `write`, which may fail halfway: then what it wrote is taken back. Where that
    /// fails as well, the half line is ended when the file is opened again.
    fn append(
        &mut self,
        lines: &[u8],
        synced: bool,
        write: impl FnOnce(&mut File, &[u8]) -> io::Result<()>,
    ) -> Result<(), AuditError> {
        let failed = |error| Step::Write.failed(error);
        // Nobody else writes to it, so all beyond this length is ours.
        let before = self.file.metadata().map_err(failed)?.len();
        if let Err(error) = write(&mut self.file, lines) {
            let _ = self.file.set_len(before);
            return Err(failed(error));
        }
        if synced {
            self.file.sync_data().map_err(|error| Step::Sync.failed(error))?;
        }
        Ok(())
    }
}

/// Ends a last line that was cut short.
fn end_last_line(file: &mut File) -> io::Result<()> {
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

#[cfg(test)]
mod tests;
