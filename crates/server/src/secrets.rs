//! The data folder's secrets: made once, readable by their owner alone, never printed.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

/// Bytes of a key, at least.
const KEY_BYTES_MIN: usize = 32;
/// What a generated secret is drawn from, in bytes. It is written as text, in hexadecimal digits, which can be copied into any setting.
const RANDOM_BYTES: usize = 32;

/// Makes the data folder, open to its owner alone, if it is not there.
pub fn create_data_dir(dir: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot create the data folder {}", dir.display()))
}

/// The key of HS256 tokens: from the file that is configured, or from the data folder, where it is made on first use.
pub fn hs256_secret(dir: &Path, configured: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    match configured {
        Some(path) => read(path),
        None => {
            let path = hs256_path(dir);
            if !path.exists() {
                create_secret(dir, &path).with_context(|| format!("cannot create {}", path.display()))?;
            }
            read(&path)
        }
    }
}

/// Written and synced under another name first: whoever is killed in between finds a whole secret or none.
fn create_secret(dir: &Path, path: &Path) -> anyhow::Result<()> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).context("no randomness from the system")?;
    let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    // One name: what somebody who was killed left behind is written over. Nobody else is at it, since whoever comes here has the
    // folder's lock.
    let draft = dir.join("hs256.draft");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(secret.as_bytes()).and_then(|()| file.sync_all())?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(fs::File::open(dir)?.sync_all()?),
    }
}

/// Where the generated key lies.
pub fn hs256_path(dir: &Path) -> PathBuf {
    dir.join("hs256.secret")
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read the secret {}", path.display()))?;
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "{} can be read by others (mode {mode:03o}): chmod 600 it, and change the secret if others had access",
            path.display()
        );
    }
    let key = key_of(bytes);
    if key.len() < KEY_BYTES_MIN {
        bail!("{} holds a key of {} bytes: it needs at least {KEY_BYTES_MIN}", path.display(), key.len());
    }
    Ok(key)
}

/// Of a file of visible ASCII the line breaks at its end are no part of the key: editors and `openssl rand -hex 32 > file` leave one
/// there, and the app's server, to which the key was copied, would sign without it. Of any other file each byte counts.
fn key_of(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    if bytes[..end].iter().all(u8::is_ascii_graphic) {
        bytes.truncate(end);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_for_its_owner() {
        let parent = tempfile::tempdir().expect("a folder for the test");
        let dir = parent.path().join("data");
        create_data_dir(&dir).expect("a new folder");
        let secret = hs256_secret(&dir, None).expect("a new secret");
        assert!(secret.len() == 2 * RANDOM_BYTES && secret.iter().all(u8::is_ascii_hexdigit), "{secret:?}");
        assert_eq!(hs256_secret(&dir, None).expect("the same secret"), secret);
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&hs256_path(&dir))), (0o700, 0o600));
    }

    #[test]
    fn the_line_break_behind_a_key_is_no_part_of_it() {
        let text = b"0123456789abcdef0123456789ABCDEF";
        for end in ["", "\n", "\r\n", "\n\n"] {
            assert_eq!(key_of([text, end.as_bytes()].concat()), text, "{end:?}");
        }
        let random = [&[7; 31][..], b"\n"].concat();
        assert_eq!(key_of(random.clone()), random);
        let two_lines = [text, &b"\n"[..], text].concat();
        assert_eq!(key_of(two_lines.clone()), two_lines);
        assert!(key_of(b"\n\n".to_vec()).is_empty());
    }

    #[test]
    fn a_secret_that_others_can_read_or_that_is_short_is_refused() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("key");
        fs::write(&path, [7; 32]).expect("a file for the test");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
        assert!(hs256_secret(dir.path(), Some(&path)).expect_err("open to others").to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        assert!(hs256_secret(dir.path(), Some(&path)).is_ok());
        fs::write(&path, [7; 31]).expect("a file for the test");
        assert!(hs256_secret(dir.path(), Some(&path)).expect_err("short").to_string().contains("31 bytes"));
    }
}
