//! Where objects are stored: a file of SQLite for each, in the folder of the service's state.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::database::{DatabaseError, Sqlite};
use crate::open_files::OpenFiles;

/// How many characters of an object's name its file shows.
const SHOWN_CHARACTERS: usize = 40;
/// How many bytes of the hash of an object's name its file has.
const HASH_BYTES: usize = 12;
const ENDING: &str = "sqlite";

/// What survives what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Whatever was acknowledged survives the end of the process and a power failure.
    Full,
    /// Whatever was acknowledged survives the end of the process. A power failure may lose the last moments.
    Normal,
    /// Nothing is written to disk.
    Memory,
}

impl FromStr for Durability {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "full" => Ok(Self::Full),
            "normal" => Ok(Self::Normal),
            "memory" => Ok(Self::Memory),
            _ => Err(()),
        }
    }
}

/// The folder of all objects' files.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    folder: PathBuf,
    pub(crate) durability: Durability,
    open: OpenFiles,
}

impl Storage {
    /// Makes the folder, which is its user's alone, if it is not there.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn open(state: &Path, durability: Durability, open: OpenFiles) -> io::Result<Self> {
        let folder = state.join("native");
        if durability != Durability::Memory {
            let mut builder = fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.recursive(true).create(&folder)?;
        }
        if durability == Durability::Full {
            // SQLite has its files' names on disk, but not those of the folders that they are in.
            let parent = state.parent().filter(|parent| !parent.as_os_str().is_empty());
            for folder in [state, parent.unwrap_or(Path::new("."))] {
                // There are systems on which a folder has nothing to write.
                let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
            }
        }
        Ok(Self { folder, durability, open })
    }

    /// Opens the database of an object, which is empty if there is none.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn database(&self, name: &str) -> Result<Sqlite, DatabaseError> {
        match self.durability {
            Durability::Memory => Sqlite::in_memory(),
            Durability::Full => Sqlite::open(&self.file(name), "FULL", &self.open),
            Durability::Normal => Sqlite::open(&self.file(name), "NORMAL", &self.open),
        }
    }

    /// Whether anything may be stored of an object.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.durability != Durability::Memory && self.file(name).exists()
    }

    /// The names of all objects that are stored; what is no object's file is left out, with the reason.
    pub(crate) fn names(&self) -> Vec<Result<String, (PathBuf, DatabaseError)>> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path());
        let databases = files.filter(|path| path.extension().is_some_and(|ending| ending == ENDING));
        databases
            .filter_map(|path| Sqlite::name_in(&path).map_err(|error| (path, error)).transpose())
            .collect()
    }

    /// A name that says what it is, on file systems without capitals, too.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let shown: String = name
            .chars()
            .map(|c| if is_plain(&c) { c.to_ascii_lowercase() } else { '-' })
            .take(SHOWN_CHARACTERS)
            .collect();
        let hash = Sha256::digest(name.as_bytes());
        let hash: String = hash.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{shown}-{hash}.{ENDING}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_has_a_file_of_its_own() {
        let storage =
            Storage { folder: "s".into(), durability: Durability::Full, open: OpenFiles::of(1024, 1) };
        let files: Vec<PathBuf> =
            ["chat", "Chat", "chat/0", "chat-0", "*"].map(|name| storage.file(name)).into();
        for (at, file) in files.iter().enumerate() {
            assert!(!files[..at].contains(file), "{}", file.display());
        }
        assert!(files[2].file_name().unwrap().to_str().unwrap().starts_with("chat-0-"));
        let long = storage.file(&"x".repeat(128));
        assert!(long.file_name().unwrap().len() < 100);
    }
}
