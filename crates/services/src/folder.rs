//! Where the data of a process lies for as long as it is wanted.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use anyhow::Context as _;
use tempfile::TempDir;

/// What the data is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In memory when there is room: a test kills processes, never the machine.
    Tests,
    /// On the disk, where a sync costs what it costs.
    Disk,
}

/// Followed by the owner's process id.
const OURS: &str = "anser-services-";
const MEMORY: &str = "/dev/shm";
/// Free bytes below which memory is left alone.
const FREE_MIN: u64 = 2 << 30;

impl Place {
    /// A folder that is removed when it is dropped, or later when its owner was killed.
    pub fn create(self, name: &str) -> anyhow::Result<TempDir> {
        let parent = match self {
            Self::Tests if free_bytes(MEMORY.as_ref()) >= FREE_MIN => PathBuf::from(MEMORY),
            Self::Tests | Self::Disk => std::env::temp_dir(),
        };
        sweep(&parent);
        let prefix = format!("{OURS}{}-{name}-", process::id());
        let made = tempfile::Builder::new().prefix(&prefix).tempdir_in(&parent);
        made.with_context(|| format!("no folder for {name} can be created in {}", parent.display()))
    }
}

fn free_bytes(path: &Path) -> u64 {
    rustix::fs::statvfs(path).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Removes what owners left behind who were killed.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(OURS)?.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new(&format!("/proc/{owner}")).exists()) {
            // Another may be sweeping as well.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_owner_left_is_removed_and_what_is_used_stays() {
        let parent = tempfile::tempdir().expect("a folder for the test");
        let path = |name: String| parent.path().join(name);
        // No process has a number as large.
        let left = path(format!("{OURS}{}-redis-x", u32::MAX));
        let kept = [path(format!("{OURS}{}-redis-x", process::id())), path("other-1".into()), path(format!("{OURS}x"))];
        kept.iter().chain([&left]).for_each(|folder| fs::create_dir(folder).expect("a folder"));
        sweep(parent.path());
        assert!(!left.exists());
        assert!(kept.iter().all(|folder| folder.exists()));
    }
}
