//! A device of a speaker, as the play holds it: takes orders and carries them out one after the other, as a person does. Here: one
//! whose app lives in this process.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anser_client::Keep;
use anser_proto::{ConversationId, Format, GroupId, UserId, v1};
use anyhow::Context as _;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    app::{self, App, Me},
    chaos::{FaultyDial, Road},
    ledger::Ledger,
    notes::{Fact, Notebook, Positions, Scribe as _},
    record::{Act, Away, DeviceRecord, Handed},
};

/// Orders that wait for a device; who gives more waits.
pub const ORDERS_MAX: usize = 64;

pub enum Order {
    /// Says or changes something. The id is that of the play's list.
    Act {
        id: String,
        conversation: ConversationId,
        act: Act,
    },
    /// Nobody was told what became of this: asks for it once more.
    Again(Handed),
    PutAway(ConversationId, Away),
    /// The device of the group's owner lets the user in.
    Join(GroupId, mpsc::Sender<Order>),
    Leave(GroupId),
    Rename(String),
    /// The app dies, and is started anew from its store.
    Crash,
    /// The app is closed for so long.
    Rest(Duration),
    /// Done when everything that was said is stored.
    Finish(oneshot::Sender<()>),
    /// The conversation list; none while the device is not up to date.
    Sessions(oneshot::Sender<Option<Vec<v1::Session>>>),
    End(oneshot::Sender<anyhow::Result<DeviceRecord>>),
    /// Of the group's owner: makes the group.
    Create(oneshot::Sender<GroupId>),
    /// Of the group's owner.
    Mute {
        group: GroupId,
        user: UserId,
        muted: bool,
    },
    Announce(GroupId, String),
    /// Of the group's owner: lets a user in, and says when they are.
    Invite {
        group: GroupId,
        user: UserId,
        done: oneshot::Sender<()>,
    },
}

/// How a device is to be.
pub struct Kind {
    pub account: String,
    pub device_id: String,
    pub url: String,
    pub token: String,
    pub format: Format,
    /// None: in memory.
    pub file: Option<PathBuf>,
    pub road: Arc<Road>,
    /// Until it asks by itself whether it missed something.
    pub check_every_ms: u64,
    pub seed: u64,
}

/// A device as the play holds it.
pub struct Handle {
    pub name: String,
    pub device_id: String,
    pub user: UserId,
    pub orders: mpsc::Sender<Order>,
    pub positions: Positions,
    pub body: Body,
    pub task: JoinHandle<()>,
}

/// What can be done to a device.
pub enum Body {
    /// Its store lies in memory: it cannot come back.
    Memory(Arc<Road>),
    File(Arc<Road>),
    /// A process of its own, which can be killed.
    Process,
}

impl Handle {
    /// Of a device that is no process.
    pub fn road(&self) -> Option<&Arc<Road>> {
        match &self.body {
            Body::Memory(road) | Body::File(road) => Some(road),
            Body::Process => None,
        }
    }

    /// Of one that lives here and can come back with what it had.
    pub fn file_road(&self) -> Option<&Arc<Road>> {
        if let Body::File(road) = &self.body { Some(road) } else { None }
    }
}

struct Device {
    app: App,
    device_id: String,
    file: Option<PathBuf>,
    road: Arc<Road>,
    ledger: Arc<Ledger>,
    notebook: Arc<Notebook>,
    me: Me,
}

impl Kind {
    /// Opens the device and waits until it is up to date.
    pub async fn open(self, ledger: Arc<Ledger>) -> anyhow::Result<Handle> {
        let name = format!("{}/{}", self.account, self.device_id);
        let file = self.file.clone();
        let store = self.file.map_or(Keep::Memory, Keep::File);
        let of = |road| if store == Keep::Memory { Body::Memory(road) } else { Body::File(road) };
        let body = of(Arc::clone(&self.road));
        let mut config = app::config(self.url, self.token, self.device_id.clone(), store, self.check_every_ms);
        config.format = self.format;
        config.dial = Some(Arc::new(FaultyDial(Arc::clone(&self.road))));
        let notebook = Arc::new(Notebook::new(Arc::clone(&ledger)));
        let (app, me) = App::open(name.clone(), config, self.seed, Arc::clone(&notebook) as _).await?;

        let (orders, waiting) = mpsc::channel(ORDERS_MAX);
        let (user, positions) = (me.user, Arc::clone(&notebook.positions));
        let device_id = self.device_id.clone();
        let device = Device { app, device_id: self.device_id, file, road: self.road, ledger, notebook, me };
        let task = tokio::spawn(device.live(waiting));
        Ok(Handle { name, device_id, user, orders, positions, body, task })
    }
}

impl Device {
    async fn live(mut self, mut orders: mpsc::Receiver<Order>) {
        while let Some(order) = orders.recv().await {
            // Whoever waits for an answer may have lost patience.
            let done = match order {
                Order::Act { id, conversation, act } => self.act(id, conversation, act).await,
                Order::Again(Handed { client_msg_id, conversation, act, .. }) => {
                    self.again(client_msg_id, conversation, act).await
                }
                Order::PutAway(conversation, away) => self.app.put_away(conversation, away).await,
                Order::Join(group, owner) => join(self.me.user, group, &owner).await,
                Order::Leave(group) => self.app.leave(group).await,
                Order::Rename(nickname) => self.rename(nickname).await,
                Order::Crash => self.app.crash().await,
                Order::Rest(time) => self.app.rest(time).await,
                Order::Finish(done) => self.app.finish().await.map(|()| _ = done.send(())),
                Order::Sessions(reply) => self.app.sessions().await.map(|list| _ = reply.send(list)),
                Order::Create(done) => self.app.create().await.map(|group| _ = done.send(group)),
                Order::Mute { group, user, muted } => self.app.mute(group, user, muted).await,
                Order::Announce(group, text) => self.app.announce(group, text).await,
                Order::Invite { group, user, done } => self.app.invite(group, user).await.map(|()| _ = done.send(())),
                Order::End(reply) => {
                    let _ = reply.send(self.end().await);
                    return;
                }
            };
            if let Err(error) = done {
                self.notebook.write(Fact::Wrong(format!("{}: {error:#}", self.app.name)));
            }
        }
    }

    async fn act(&self, id: String, conversation: ConversationId, act: Act) -> anyhow::Result<()> {
        self.ledger.hand(Handed {
            client_msg_id: id.clone(),
            user: self.me.user,
            device_id: self.device_id.clone(),
            conversation,
            act: act.clone(),
            nickname: self.me.nickname.clone(),
            acked: None,
            acked_at: None,
            refused: None,
        });
        self.again(id, conversation, act).await
    }

    async fn again(&self, id: String, conversation: ConversationId, act: Act) -> anyhow::Result<()> {
        self.app.act(id.parse()?, conversation, act).await
    }

    async fn rename(&mut self, nickname: String) -> anyhow::Result<()> {
        self.app.rename(nickname.clone()).await?;
        self.me.nickname = nickname;
        Ok(())
    }

    async fn end(self) -> anyhow::Result<DeviceRecord> {
        let name = self.app.name.clone();
        let left = self.app.end().await?;
        Ok(DeviceRecord {
            name,
            device_id: self.device_id,
            user: self.me.user,
            runs: self.notebook.take_runs(),
            kept: left.kept(),
            sessions: left.sessions,
            pushes: self.road.pushes(),
            file: self.file,
        })
    }
}

pub async fn join(user: UserId, group: GroupId, owner: &mpsc::Sender<Order>) -> anyhow::Result<()> {
    let (done, joined) = oneshot::channel();
    owner.send(Order::Invite { group, user, done }).await.context("the group's owner is gone")?;
    joined.await.context("the group's owner did not let the user in")
}
