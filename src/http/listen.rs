//! Binding addresses: TCP, and Unix sockets that nobody but their owner can ever open.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener};

use super::tls::TlsError;

/// Where a listener listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A TCP address; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A socket file, with mode 0600.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address cannot be bound.
    #[error("cannot listen on {address} ({name}): {source}")]
    Address {
        /// The listener.
        name: &'static str,
        /// Its address.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// Its TLS files are of no use.
    #[error("cannot start TLS on the {name} listener: {source}")]
    Tls {
        /// The listener.
        name: &'static str,
        /// Why.
        source: TlsError,
    },
}

/// A bound socket.
pub(crate) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, #[expect(dead_code, reason = "removes the file when dropped")] SocketFile),
}

impl Socket {
    pub(crate) async fn bind(address: &Address) -> io::Result<(Self, Address)> {
        match address {
            Address::Tcp(wanted) => {
                let listener = TcpListener::bind(wanted).await?;
                let bound = Address::Tcp(listener.local_addr()?);
                Ok((Self::Tcp(listener), bound))
            }
            Address::Unix(path) => {
                let (listener, file) = bind_unix(path)?;
                Ok((Self::Unix(listener, file), address.clone()))
            }
        }
    }
}

/// A socket's file, removed when dropped, if it is still the one that was made.
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|m| m.ino() == self.inode);
        if ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket");
        }
    }
}

/// Binds in a folder that only the owner can enter, narrows the mode there, and moves the socket
/// into place: whatever the umask, no other user can open it at any moment.
fn bind_unix(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    refuse_live(path)?;
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    // Short: a socket's path may have little more than 100 bytes.
    let nest = path.with_file_name(format!(".s{}", std::process::id()));
    match std::fs::remove_dir_all(&nest) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::DirBuilder::new().mode(0o700).create(&nest)?;
    let made = (|| {
        let inner = nest.join(name);
        let listener = UnixListener::bind(&inner)?;
        std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o600))?;
        let inode = std::fs::symlink_metadata(&inner)?.ino();
        std::fs::rename(&inner, path)?;
        Ok((listener, SocketFile { path: path.to_owned(), inode }))
    })();
    std::fs::remove_dir_all(&nest)?;
    made
}

/// Lets a socket be replaced only when it is one and nobody answers on it.
fn refuse_live(path: &Path) -> io::Result<()> {
    let kind = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !kind.is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file stands there"));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process answers there")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
    }
}
