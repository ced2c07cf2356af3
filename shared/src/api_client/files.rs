//! Whether files are still what they were when they were read.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// What files looked like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Looks(Vec<(PathBuf, Option<Look>)>);

/// One file that exists: when it was changed (seconds, nanoseconds), how long it is, which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    changed: (i64, i64),
    size: u64,
    inode: u64,
}

impl Looks {
    /// Looks at one more file; to be done before it is read.
    pub(super) fn add(&mut self, path: PathBuf) {
        let look = look(&path);
        self.0.push((path, look));
    }

    /// Whether all of them still look like this.
    pub(super) fn hold(&self) -> bool {
        self.0.iter().all(|(path, seen)| look(path) == *seen)
    }
}

fn look(path: &PathBuf) -> Option<Look> {
    let of = |it: Metadata| Look {
        changed: (it.mtime(), it.mtime_nsec()),
        size: it.size(),
        inode: it.ino(),
    };
    std::fs::metadata(path).ok().map(of)
}
