//! What a device does that is a process, and the lines that it exchanges with its play: orders on its standard input, facts on its
//! standard output, which is a file. What was written before a kill is there after it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anser_client::Keep;
use anser_proto::{
    Format, GroupId,
    v1::{self, ServerFrame, server_frame::Body},
};
use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::{
    app::{self, App, Left, Me},
    device::ORDERS_MAX,
    notes::{Fact, Listed, Scribe},
    record::{Act, Away},
};
use crate::out;

/// How the device is to be: the first line that a process reads.
#[derive(Clone, Serialize, Deserialize)]
pub struct Birth {
    pub account: String,
    pub device_id: String,
    pub url: String,
    pub token: String,
    pub file: PathBuf,
    pub check_every_ms: u64,
    pub seed: u64,
}

/// An order, as a line.
#[derive(Serialize, Deserialize)]
pub struct Asked {
    pub number: u64,
    pub what: Ask,
}

#[derive(Serialize, Deserialize)]
pub enum Ask {
    Act { id: String, conversation: String, act: Act },
    PutAway { conversation: String, away: Away },
    Leave(u64),
    Rename(String),
    Finish,
    Sessions,
    End,
}

#[derive(Serialize, Deserialize)]
pub enum Told {
    /// It is up to date.
    Here(Me),
    Fact(Fact),
    Done(u64),
    /// A list is a frame in JSON; none while the device is not up to date.
    Sessions(Option<String>),
    Left {
        store: Vec<Listed>,
        sessions: String,
    },
}

/// A life of such a process.
#[derive(Args)]
pub struct ReplayDevice {}

/// Standard output, which is a file.
struct Lines;

impl Lines {
    fn tell(&self, told: &Told) {
        let line = serde_json::to_string(told).expect("plain data can be written as JSON");
        // Without its file a life has no witness.
        if out::line(line).is_err() {
            std::process::abort();
        }
    }
}

impl Scribe for Lines {
    fn write(&self, fact: Fact) {
        self.tell(&Told::Fact(fact));
    }
}

impl ReplayDevice {
    pub fn run(self) -> anyhow::Result<()> {
        let (lines, over) = read_orders();
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
            tokio::select! {
                lived = live(lines) => lived,
                // The play is over, whichever way.
                _ = over => Ok(()),
            }
        })
    }
}

async fn live(mut lines: mpsc::Receiver<String>) -> anyhow::Result<()> {
    let birth = lines.recv().await.context("this is a part of `anser replay`, and not for people")?;
    let birth: Birth = serde_json::from_str(&birth)?;
    let name = birth.name();
    let config = app::config(birth.url, birth.token, birth.device_id, Keep::File(birth.file), birth.check_every_ms);
    let (app, me) = App::open(name, config, birth.seed, Arc::new(Lines)).await?;
    Lines.tell(&Told::Here(me));
    while let Some(line) = lines.recv().await {
        let Asked { number, what } = serde_json::from_str(&line)?;
        let done = match what {
            Ask::Act { id, conversation, act } => app.act(id.parse()?, conversation.parse()?, act).await,
            Ask::PutAway { conversation, away } => app.put_away(conversation.parse()?, away).await,
            Ask::Leave(group) => app.leave(GroupId(group)).await,
            Ask::Rename(nickname) => app.rename(nickname).await,
            Ask::Finish => app.finish().await,
            Ask::Sessions => app.sessions().await.map(|list| Lines.tell(&Told::Sessions(list.map(pack)))),
            Ask::End => {
                let Left { store, sessions } = app.end().await?;
                Lines.tell(&Told::Left { store, sessions: pack(sessions) });
                return Ok(());
            }
        };
        if let Err(error) = done {
            Lines.write(Fact::Wrong(format!("{}: {error:#}", app.name)));
        }
        Lines.tell(&Told::Done(number));
    }
    Ok(())
}

/// The lines of standard input, and its end.
fn read_orders() -> (mpsc::Receiver<String>, oneshot::Receiver<()>) {
    let ((give, lines), (end, over)) = (mpsc::channel(ORDERS_MAX), oneshot::channel());
    std::thread::spawn(move || {
        // Whoever takes no more lines is at its own end.
        io::stdin().lines().map_while(Result::ok).try_for_each(|line| give.blocking_send(line)).ok();
        drop(end);
    });
    (lines, over)
}

fn pack(sessions: Vec<v1::Session>) -> String {
    let frame = ServerFrame { request_id: 0, body: Some(Body::Sessions(v1::Sessions { sessions, more: false })) };
    String::from_utf8(Format::Json.encode(&frame).to_vec()).expect("JSON is text")
}

pub fn unpack(frame: String) -> anyhow::Result<Vec<v1::Session>> {
    match Format::Json.decode::<ServerFrame>(&Bytes::from(frame))?.body {
        Some(Body::Sessions(list)) => Ok(list.sessions),
        body => bail!("no list of conversations: {body:?}"),
    }
}

impl Birth {
    pub fn name(&self) -> String {
        format!("{}/{}", self.account, self.device_id)
    }
}

/// The file of one life, as it is read while it is written.
pub struct Evidence {
    file: File,
    /// Of a line that is not whole yet.
    part: Vec<u8>,
}

impl Evidence {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, part: Vec::new() })
    }

    /// What it has told since the last time. What a kill cut in the middle of a line was never told.
    pub fn told(&mut self) -> anyhow::Result<Vec<Told>> {
        self.file.read_to_end(&mut self.part)?;
        let Some(end) = self.part.iter().rposition(|byte| *byte == b'\n') else { return Ok(Vec::new()) };
        let rest = self.part.split_off(end + 1);
        let lines = std::mem::replace(&mut self.part, rest);
        let told = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(serde_json::from_slice);
        Ok(told.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_line_is_told_once_it_is_whole_and_never_when_a_kill_cut_it() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("device.1.jsonl");
        let mut file = File::create(&path).expect("a file");
        let mut evidence = Evidence::open(&path).expect("the same");
        let mut told = |bytes: &str| {
            file.write_all(bytes.as_bytes()).expect("it is written");
            let number = |told| if let Told::Done(number) = told { number } else { 0 };
            evidence.told().expect("whole lines").into_iter().map(number).collect::<Vec<_>>()
        };
        assert_eq!(told("{\"Done\":1}\n{\"Do"), [1]);
        assert_eq!(told("ne\":2}\n{\"Done\":3}\n{\"Fact\":{\"Wro"), [2, 3]);
        assert_eq!(told(""), [0; 0]);
    }
}
