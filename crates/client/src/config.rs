//! What an app says when it opens a client.

use std::{path::PathBuf, sync::Arc};

use anser_proto::{Format, v1};

use crate::{
    engine::{Credential, Policy},
    transport::Dial,
};

/// Where a device keeps its messages, positions and outgoing queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Keep {
    /// One file for one account on one device, made if it is not there. What is queued in it goes out after a restart.
    File(PathBuf),
    /// Nothing outlives the client.
    Memory,
}

/// How to open a [`crate::Client`].
#[derive(Clone)]
pub struct Config {
    /// `ws://host:port`, `wss://…` (path `/v1/ws` if none is given), `tcp://host:port` or `tls://host:port`. Several with commas
    /// between them are nodes of one cluster: each connection goes to another one.
    pub url: String,
    pub credential: Credential,
    /// Chosen once and kept: 1 to 64 visible ASCII characters. If none, one is made and kept in the store.
    pub device_id: Option<String>,
    pub platform: v1::device::Platform,
    /// For people: "Ada's laptop". At most 64 characters.
    pub device_name: String,
    pub store: Keep,
    pub policy: Policy,
    pub format: Format,
    /// Certificates (PEM) that are trusted instead of the system's, for `wss` and `tls`: those of issuers, or the server's own.
    pub ca_file: Option<PathBuf>,
    /// Opens connections instead of [`crate::transport::Network`]: a test's fault injector, a proxy.
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
            platform: v1::device::Platform::Desktop,
            device_name: String::new(),
            store: Keep::Memory,
            policy: Policy::default(),
            format: Format::Protobuf,
            ca_file: None,
            dial: None,
            events_max: 1024,
        }
    }
}
