//! What an app says when it opens a client.

use std::{path::PathBuf, sync::Arc};

use anser_proto::Format;

use futures_util::future::BoxFuture;

use crate::{
    engine::{self, Policy, Secret},
    transport::Dial,
    view::Platform,
};

/// How the user proves who they are.
#[derive(Clone)]
#[non_exhaustive]
pub enum Credential {
    /// A JSON Web Token signed by the app's server or by `anser token`. When it is past its time the client stops, unless
    /// [`crate::Client::login`] gave a newer one.
    Token(String),
    /// An account of the server's own. The token that the server gives for it takes its place and is kept in the local store, so that
    /// the app need not keep the password: next time [`Credential::Kept`] will do.
    Password { account: String, password: String },
    /// Asks the app's server for a token: see [`Credential::provider`].
    Provider(Provider),
    /// The token that a password bought, from the local store. Without one the client stops with
    /// [`crate::StopReason::NoCredential`]; once it is refused, with [`crate::StopReason::Refused`].
    Kept,
}

/// What fetches tokens.
#[derive(Clone)]
pub struct Provider(Arc<dyn Fn() -> BoxFuture<'static, Option<Secret>> + Send + Sync>);

impl Credential {
    /// `fetch` is called before the first connection, and whenever the last token is no longer taken. It may take 30 seconds; when it
    /// takes longer or fails it is called again after a wait, as if the connection had failed. A fresh token that the server refuses
    /// stops the client.
    ///
    /// ```
    /// use anser_client::{Config, Credential};
    ///
    /// async fn token_of_my_server() -> std::io::Result<String> {
    ///     Ok("eyJhbGciOi…".to_owned())
    /// }
    ///
    /// let config = Config::new("ws://127.0.0.1:7400", Credential::provider(token_of_my_server));
    /// ```
    pub fn provider<F, T, E>(fetch: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<String, E>> + Send + 'static,
        E: std::fmt::Display,
    {
        Self::Provider(Provider(Arc::new(move || {
            let fetching = fetch();
            Box::pin(async move {
                let fetched = fetching.await;
                fetched.map(Secret).inspect_err(|error| tracing::warn!(%error, "no token could be had")).ok()
            })
        })))
    }

    /// For the engine, and for who fetches.
    pub(crate) fn divide(self) -> (engine::Credential, Option<Provider>) {
        match self {
            Self::Token(token) => (engine::Credential::Token(token), None),
            Self::Password { account, password } => (engine::Credential::Password { account, password }, None),
            Self::Provider(provider) => (engine::Credential::Provider, Some(provider)),
            Self::Kept => (engine::Credential::Kept, None),
        }
    }
}

impl Provider {
    pub(crate) fn fetch(&self) -> BoxFuture<'static, Option<Secret>> {
        (self.0)()
    }
}

/// Never shows what it holds, so that no log does.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// Where a device keeps its messages, positions and outgoing queue.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Keep {
    /// One file for one account on one device, made if it is not there. What is queued in it goes out after a restart.
    File(PathBuf),
    /// Nothing outlives the client.
    Memory,
}

/// How many messages the local store keeps. Beyond it the oldest go, first those of the conversations whose history was not read for the
/// longest time; they are fetched again when somebody asks for them. What waits to be sent, marks and the conversation list stay, whatever
/// the bounds are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Bounds {
    /// Of one conversation.
    pub messages_max: u64,
    /// Of all conversations together. The file is somewhat larger, and does not become smaller again.
    pub bytes_max: u64,
}

impl Bounds {
    /// Everything stays, for who looks after the disk by other means.
    pub const NONE: Self = Self { messages_max: u64::MAX, bytes_max: u64::MAX };
}

/// For a phone: 5 000 messages, 64 MiB.
impl Default for Bounds {
    fn default() -> Self {
        Self { messages_max: 5_000, bytes_max: 64 * 1024 * 1024 }
    }
}

/// How to open a [`crate::Client`].
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// `ws://host:port`, `wss://…` (path `/v1/ws` if none is given), `tcp://host:port` or `tls://host:port`. Several with commas
    /// between them are nodes of one cluster: each connection goes to another one.
    pub url: String,
    pub credential: Credential,
    /// Chosen once and kept: 1 to 64 visible ASCII characters. If none, one is made and kept in the store.
    pub device_id: Option<String>,
    pub platform: Platform,
    /// For people: "Ada's laptop". At most 64 characters.
    pub device_name: String,
    pub store: Keep,
    pub bounds: Bounds,
    pub policy: Policy,
    pub format: Format,
    /// Certificates (PEM) that are trusted instead of the system's, for `wss` and `tls`: those of issuers, or the server's own.
    pub ca_file: Option<PathBuf>,
    /// Opens connections in place of the SDK: for this project's own fault injectors, since it speaks frames of the wire.
    #[doc(hidden)]
    pub dial: Option<Arc<dyn Dial>>,
    /// Events that wait for a slow listener before the oldest are dropped for it; see [`crate::Event::Lagged`].
    pub events_max: usize,
}

impl Config {
    /// Keeps everything in memory and uses protobuf, the default policy and the system's certificates.
    pub fn new(url: impl Into<String>, credential: Credential) -> Self {
        Self {
            url: url.into(),
            credential,
            device_id: None,
            platform: Platform::Desktop,
            device_name: String::new(),
            store: Keep::Memory,
            bounds: Bounds::default(),
            policy: Policy::default(),
            format: Format::Protobuf,
            ca_file: None,
            dial: None,
            events_max: 1024,
        }
    }
}
