//! Folders for what other programs write.

use crate::local::ScratchFile;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// A folder of this process that goes when this is dropped.
#[derive(Debug)]
pub struct ScratchFolder {
    path: PathBuf,
}

impl ScratchFolder {
    /// An empty one.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> Result<Self> {
        // A file's name that nobody else has, for a folder.
        let name = ScratchFile::with("")?;
        let path = name.path().with_extension("d");
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of what is called so in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("cannot remove {}: {error}", self.path.display());
        }
    }
}
