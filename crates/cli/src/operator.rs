//! Requests to the server that has the data folder, over its operator's socket.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use anser_server::{OperatorSocket, error::Error, http::problem, operator::NotDone};
use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The no of a server, or of the store where none runs.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    pub status: StatusCode,
    detail: String,
}

impl From<NotDone> for Refused {
    fn from(why: NotDone) -> Self {
        let detail = why.to_string();
        Self { status: problem::status(Error::from(why).code), detail }
    }
}

pub struct Operator {
    socket: OperatorSocket,
}

impl Operator {
    /// None when no server has the data folder.
    pub async fn connect(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let reached = async {
            let socket = OperatorSocket::of(data_dir)?;
            UnixStream::connect(&socket.address).await?;
            Ok::<_, io::Error>(Self { socket })
        };
        match reached.await {
            Ok(operator) => Ok(Some(operator)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot reach the server on {}", data_dir.display())),
        }
    }

    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let stream = UnixStream::connect(&self.socket.address).await.context("the server is gone")?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(serde_json::to_vec(body)?)))?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let bytes = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let bytes = bytes.map_err(|error| anyhow::anyhow!("the server's answer broke off: {error}"))?.to_bytes();
            if !status.is_success() {
                let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let detail = problem["detail"].as_str().unwrap_or(status.as_str()).to_owned();
                return Err(Refused { status, detail }.into());
            }
            Ok(serde_json::from_slice(&bytes)?)
        };
        tokio::select! {
            answer = exchange => answer,
            ended = connection => bail!("the server ended the connection: {ended:?}"),
        }
    }
}
