//! Why a connection could not be opened, where that can be told: what `dial` returns becomes a kind and a sentence.

use std::io;

use rustls::CertificateError;
use tokio_tungstenite::tungstenite::{Error as WsError, error::ProtocolError};

/// Inside of the `io::Error` of [`crate::transport::Dial::dial`]: see [`Unopened::of`]. An error without it is of the network,
/// and may be gone with the next attempt.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unopened {
    #[error("{host} is the name of no machine that can be found: {why}")]
    NoSuchHost { host: String, why: String },
    #[error("nothing listens on {server}: is the server running, and is the port right?")]
    Refused { server: String },
    #[error("the certificate of {server} is not believed: {why}")]
    NotBelieved { server: String, why: String },
    #[error("{server} does not speak TLS: is it `ws` or `tcp` instead of `wss` or `tls`?")]
    NoTls { server: String },
    #[error("{url} answered {status}: the path of an Anser server is /v1/ws")]
    Answered { url: String, status: u16 },
    #[error("{url} does not answer as a WebSocket: is it the right port, and `wss` instead of `ws`?")]
    NoWebSocket { url: String },
}

impl Unopened {
    /// None for an error of which nothing more is known.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Whether another attempt may succeed though nobody changes the address, the certificates or the server's settings.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoSuchHost { .. } | Self::Refused { .. } => true,
            Self::Answered { status, .. } => *status == 429 || *status >= 500,
            Self::NotBelieved { .. } | Self::NoTls { .. } | Self::NoWebSocket { .. } => false,
        }
    }

    pub(crate) fn connecting(host: &str, server: &str, error: io::Error) -> io::Error {
        let server = || server.to_owned();
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused { server: server() }.of_kind(error.kind()),
            // What the resolver says has no kind and no number of the system's.
            _ if error.raw_os_error().is_none() => {
                Self::NoSuchHost { host: host.to_owned(), why: error.to_string() }.of_kind(io::ErrorKind::NotFound)
            }
            _ => error,
        }
    }

    pub(crate) fn securing(server: &str, error: io::Error) -> io::Error {
        let server = server.to_owned();
        let unopened = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(rustls::Error::InvalidCertificate(why)) => Self::NotBelieved { server, why: disbelief(why) },
            Some(rustls::Error::InvalidMessage(_)) => Self::NoTls { server },
            _ => return error,
        };
        unopened.of_kind(io::ErrorKind::InvalidData)
    }

    pub(crate) fn upgrading(url: &str, error: WsError) -> io::Error {
        let url = url.to_owned();
        let unopened = match &error {
            WsError::Http(response) => Self::Answered { url, status: response.status().as_u16() },
            // One that broke off says nothing of the address.
            WsError::Protocol(ProtocolError::HandshakeIncomplete) => return io::Error::other(error),
            WsError::Protocol(_) | WsError::AttackAttempt | WsError::Capacity(_) => Self::NoWebSocket { url },
            _ => return io::Error::other(error),
        };
        unopened.of_kind(io::ErrorKind::InvalidData)
    }

    fn of_kind(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self)
    }
}

fn disbelief(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => "whoever issued it is not among those who are trusted".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: are both clocks right?".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is made out to another name".to_owned()
        }
        // What is not in the list of kinds is told by its debugging name.
        other if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is self-signed, and not one of those who are trusted".to_owned()
        }
        other => other.to_string(),
    }
}
