//! The operator's socket in the data folder: where it lies, and how it is reached however long the folder's path is.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::AsRawFd as _,
        unix::{fs::PermissionsExt as _, net::UnixStream as StdUnixStream},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use tokio::net::UnixListener;

/// The operator's socket, in the data folder.
pub const OPERATOR_SOCKET: &str = "operator.sock";
/// Bytes of a socket's address on Linux, without the zero at its end. macOS has four less.
const ADDRESS_BYTES_MAX: usize = 103;

/// The socket's path, or another way to it that is short enough for the address of a socket.
pub struct OperatorSocket {
    pub address: PathBuf,
    /// Keeps that way open.
    _folder: Option<File>,
}

impl OperatorSocket {
    pub fn of(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(OPERATOR_SOCKET);
        if path.as_os_str().len() <= ADDRESS_BYTES_MAX {
            return Ok(Self { address: path, _folder: None });
        }
        let folder = File::open(data_dir)?;
        let address = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(OPERATOR_SOCKET);
        Ok(Self { address, _folder: Some(folder) })
    }
}

/// Listens there. What another server left behind is taken away; one that still answers is not.
pub(super) fn bind(data_dir: &Path) -> anyhow::Result<UnixListener> {
    let context = || format!("cannot create the operator's socket {}", data_dir.join(OPERATOR_SOCKET).display());
    let socket = OperatorSocket::of(data_dir).with_context(context)?;
    if StdUnixStream::connect(&socket.address).is_ok() {
        bail!("`{}` is in use by another server: stop that one first, or choose another folder", data_dir.display());
    }
    let _ = fs::remove_file(&socket.address);
    let listener = UnixListener::bind(&socket.address).with_context(context)?;
    fs::set_permissions(&socket.address, fs::Permissions::from_mode(0o600)).with_context(context)?;
    Ok(listener)
}
