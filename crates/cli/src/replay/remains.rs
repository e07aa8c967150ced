//! What a play leaves that did not end well: beside the devices' stores and the server's folder, which lie there already, what
//! was said, what each device showed, what the server says, what was found, and how to play it again.

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tempfile::TempDir;

use super::{
    ledger::Ledger,
    record::{DeviceRecord, Truth},
};

const REMOVE_MAX: Duration = Duration::from_secs(5);
const REMOVE_PAUSE: Duration = Duration::from_millis(10);

/// While the play still knows them.
pub fn write_records(folder: &Path, records: &[DeviceRecord], truth: &Truth) -> io::Result<()> {
    let mut devices = create(folder, "devices.txt")?;
    for record in records {
        writeln!(devices, "{record:#?}")?;
    }
    devices.flush()?;
    let mut logs = create(folder, "server.txt")?;
    write!(logs, "{truth:#?}")?;
    logs.flush()
}

/// A device whose store was just being opened has a thread that creates files until it notices.
pub fn remove(scratch: TempDir) {
    let (folder, until) = (scratch.keep(), Instant::now() + REMOVE_MAX);
    while fs::remove_dir_all(&folder).is_err() && folder.exists() && Instant::now() < until {
        thread::sleep(REMOVE_PAUSE);
    }
}

/// None when the play ended before anything was there to be kept.
pub fn keep(scratch: TempDir, ledger: &Ledger, wrong: &[String], again: &str) -> anyhow::Result<Option<PathBuf>> {
    if ledger.sent() == 0 && fs::read_dir(scratch.path())?.next().is_none() {
        return Ok(None);
    }
    let folder = scratch.keep();
    write(&folder, wrong, again, ledger)
        .with_context(|| format!("cannot write down what was found in {}", folder.display()))?;
    Ok(Some(folder))
}

fn write(folder: &Path, wrong: &[String], again: &str, ledger: &Ledger) -> io::Result<()> {
    fs::write(folder.join("found.txt"), wrong.join("\n") + "\n")?;
    fs::write(folder.join("again.sh"), format!("cd {:?}\n{again}\n", std::env::current_dir()?))?;
    let mut said = create(folder, "said.txt")?;
    for handed in ledger.handed() {
        writeln!(said, "{handed:?}")?;
    }
    said.flush()
}

fn create(folder: &Path, name: &str) -> io::Result<BufWriter<fs::File>> {
    fs::File::create(folder.join(name)).map(BufWriter::new)
}

#[cfg(test)]
mod tests {
    use anser_proto::{ConversationId, GroupId, UserId};

    use super::*;
    use crate::replay::record::{Act, Handed, Manner};

    #[test]
    fn what_an_error_leaves_is_kept_if_there_is_anything() {
        let wrong = ["the server does not answer".to_owned()];
        let keep = |scratch: TempDir, ledger: &Ledger| {
            let path = scratch.path().to_owned();
            let kept =
                keep(scratch, ledger, &wrong, "anser replay --seed 7 log").expect("a folder that can be written");
            assert_eq!((kept.is_some(), kept.as_deref().unwrap_or(&path)), (path.exists(), &*path));
            kept
        };
        let scratch = || tempfile::tempdir().expect("a folder for the test");
        assert_eq!(keep(scratch(), &Ledger::new()), None);

        let with_store = scratch();
        fs::write(with_store.path().join("a.db"), "rows").expect("a file");
        let ledger = Ledger::new();
        ledger.hand(Handed {
            client_msg_id: ledger.id(1),
            user: UserId(1),
            device_id: "device".into(),
            conversation: ConversationId::Group(GroupId(2)),
            act: Act::Say { content: "a line of the talk".into(), manner: Manner::Talk },
            nickname: "ann".into(),
            acked: None,
            acked_at: None,
            refused: None,
        });
        for (scratch, ledger) in [(with_store, Ledger::new()), (scratch(), ledger)] {
            let folder = keep(scratch, &ledger).expect("something was there");
            let read = |name: &str| fs::read_to_string(folder.join(name)).expect("it was written");
            assert_eq!(read("found.txt"), "the server does not answer\n");
            assert!(read("again.sh").ends_with("\nanser replay --seed 7 log\n"));
            assert_eq!(read("said.txt").contains("a line of the talk"), ledger.sent() > 0);
            fs::remove_dir_all(folder).expect("it can be removed");
        }
    }
}
