//! Looks for words that were taken back in the files where messages were kept: of the devices, and of the server if it is the play's
//! own. Bytes only: what no query shows may lie in a file all the same.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    record::{DeviceRecord, Handed, Truth},
    verdict::{Fault, TakenBack, Verdict},
};

/// After the apps were closed.
pub fn judge_devices(
    verdict: &mut Verdict,
    handed: &[Handed],
    devices: &[DeviceRecord],
    truth: &Truth,
) -> io::Result<()> {
    let taken_back = TakenBack::of(handed, truth);
    for device in devices.iter().filter(|device| device.file.is_some()) {
        let files = device.file.iter().flat_map(|file| files_of(file)).collect();
        judge_files(verdict, &device.name, files, &taken_back.told_to(device.user))?;
    }
    Ok(())
}

/// After the server has ended.
pub fn judge_folder(verdict: &mut Verdict, handed: &[Handed], folder: &Path, truth: &Truth) -> io::Result<()> {
    judge_files(verdict, "the server", files_in(folder)?, &TakenBack::of(handed, truth).all())
}

fn judge_files(verdict: &mut Verdict, whose: &str, files: Vec<PathBuf>, texts: &[&str]) -> io::Result<()> {
    let marks = texts.iter().filter_map(|text| mark_of(text)).collect();
    for file in files {
        for mark in find_in(&fs::read(&file)?, &marks) {
            verdict.find(Fault::Leaked, || format!("{whose}: {mark} was taken back and is in {}", file.display()));
        }
    }
    Ok(())
}

/// The last word of a text that was given a mark: see [`super::ledger::Ledger::mark`].
fn mark_of(content: &str) -> Option<&str> {
    let (_, last) = content.rsplit_once(' ')?;
    (last.starts_with(OPENS) && last.contains(char::from(PLAY))).then_some(last)
}

const OPENS: char = '#';
/// Stands between the number of a mark and its play, so that no mark is the beginning of another.
const PLAY: u8 = b'@';

fn find_in<'a>(bytes: &[u8], marks: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for at in bytes.iter().enumerate().filter(|(_, byte)| **byte == PLAY).map(|(at, _)| at) {
        let stands = |mark: &&&str| {
            let number = mark.bytes().position(|byte| byte == PLAY);
            number
                .and_then(|number| at.checked_sub(number))
                .is_some_and(|from| bytes[from..].starts_with(mark.as_bytes()))
        };
        found.extend(marks.iter().find(stands));
    }
    found
}

/// A local store: SQLite puts others beside it.
fn files_of(store: &Path) -> Vec<PathBuf> {
    let name = |tail: &str| PathBuf::from(format!("{}{tail}", store.display()));
    ["", "-wal", "-journal"].map(name).into_iter().filter(|file| file.exists()).collect()
}

/// All files of a folder and of those in it.
fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => files.extend(files_in(&entry.path())?),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_stand_and_are_not_taken_for_each_other() {
        let marks = BTreeSet::from(["#1@play", "#11@play", "#2@play"]);
        let check = |bytes: &[u8], expected: &[&str]| {
            assert_eq!(find_in(bytes, &marks).into_iter().collect::<Vec<_>>(), expected);
        };
        check(b"\x00said #11@play\x07\x00#2@pla", &["#11@play"]);
        check(b"#2@play#1@play@#1@play", &["#1@play", "#2@play"]);
        check(b"@play #3@play #1@other", &[]);
    }

    #[test]
    fn the_mark_of_a_text_is_its_last_word() {
        assert_eq!(mark_of("hello there #12@play"), Some("#12@play"));
        for content in ["", "#ubuntu", "join #ubuntu", "a@b.c", "#12@play"] {
            assert_eq!(mark_of(content), None, "{content}");
        }
    }

    #[test]
    fn a_folder_is_looked_through_to_its_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("below");
        fs::create_dir(&below).expect("a folder");
        fs::write(below.join("a.db-wal"), "x #1@play").expect("a file");
        let files = files_in(folder.path()).expect("it can be read");
        assert_eq!(files, files_of(&below.join("a.db")));
        let mut verdict = Verdict::default();
        judge_files(&mut verdict, "the server", files, &["x #1@play", "y #2@play"]).expect("it can be read");
        assert_eq!((verdict.leaked, verdict.witnesses.len()), (1, 1), "{:?}", verdict.witnesses);
    }
}
