//! A device of a speaker: an SDK client with its app, in a task of its own. Takes orders and carries them out one after the
//! other, as a person does; writes down what it shows.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anser_client::{
    Bounds, Changed, Client, Config, Credential, Draft, Error, FirstPage, Keep, NewGroup, Policy, State,
};
use anser_proto::{ClientMsgId, ConversationId, ErrorCode, Format, GroupId, UserId, codes, v1};
use anyhow::{Context as _, bail};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{
    chaos::{FaultyDial, Road},
    ledger::Ledger,
    listener::{Listener, Positions, read_kept},
    record::{DeviceRecord, Handed, Run},
};

/// Orders that wait for a device; who gives more waits.
const ORDERS_MAX: usize = 64;
/// How long one order may take, the server's and the network's absences included.
const ORDER_MAX: Duration = Duration::from_secs(90);
/// Between two looks at something that is on its way.
const LOOK_EVERY: Duration = Duration::from_millis(20);
pub enum Order {
    Say {
        conversation: ConversationId,
        text: String,
    },
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
    /// Of the group's owner: lets a user in, and says when he is.
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
    pub user: UserId,
    pub orders: mpsc::Sender<Order>,
    pub positions: Positions,
    pub road: Arc<Road>,
    /// It can crash and come back with what it had.
    pub keeps_file: bool,
    pub task: JoinHandle<()>,
}

struct Device {
    name: String,
    device_id: String,
    config: Config,
    road: Arc<Road>,
    seed: u64,
    /// None while it is closed.
    app: Option<App>,
    ledger: Arc<Ledger>,
    positions: Positions,
    user: UserId,
    nickname: String,
    runs: Vec<Run>,
}

/// A running app: what sends, and what shows.
struct App {
    client: Client,
    listener: Listener,
}

impl Kind {
    /// Opens the device and waits until it is up to date.
    pub async fn open(self, ledger: Arc<Ledger>) -> anyhow::Result<Handle> {
        let name = format!("{}/{}", self.account, self.device_id);
        let config = Config {
            device_id: Some(self.device_id.clone()),
            store: self.file.clone().map_or(Keep::Memory, Keep::File),
            // What each device shows is judged whole.
            bounds: Bounds::NONE,
            format: self.format,
            dial: Some(Arc::new(FaultyDial(Arc::clone(&self.road)))),
            policy: Policy {
                first_page: FirstPage::All,
                gap_max: u64::MAX,
                check_every_ms: self.check_every_ms,
                ..Policy::default()
            },
            ..Config::new(self.url, Credential::Token(self.token))
        };
        let mut device = Device {
            name: name.clone(),
            device_id: self.device_id,
            config,
            road: Arc::clone(&self.road),
            seed: self.seed,
            app: None,
            ledger,
            positions: Positions::default(),
            user: UserId(0),
            nickname: String::new(),
            runs: Vec::new(),
        };
        device.start().await?;
        let client = device.client()?;
        let arrived = tokio::time::timeout(ORDER_MAX, client.caught_up()).await;
        if let Err(reason) = arrived.with_context(|| format!("{name} does not get in"))? {
            bail!("{name} is not let in: {reason:?}");
        }
        let me = client.me().context("the server says who one is")?;
        (device.user, device.nickname) = (UserId(me.user_id), me.nickname);

        let (orders, waiting) = mpsc::channel(ORDERS_MAX);
        let (user, positions) = (device.user, Arc::clone(&device.positions));
        let task = tokio::spawn(device.live(waiting));
        Ok(Handle { name, user, orders, positions, road: self.road, keeps_file: self.file.is_some(), task })
    }
}

impl Device {
    async fn live(mut self, mut orders: mpsc::Receiver<Order>) {
        while let Some(order) = orders.recv().await {
            // Whoever waits for an answer may have lost patience.
            let done = match order {
                Order::Say { conversation, text } => self.say(conversation, text).await,
                Order::Join(group, owner) => self.join(group, &owner).await,
                Order::Leave(group) => self.leave(group).await,
                Order::Rename(nickname) => self.rename(nickname).await,
                Order::Crash => self.crash().await,
                Order::Rest(time) => self.rest(time).await,
                Order::Finish(done) => self.finish().await.map(|()| _ = done.send(())),
                Order::Sessions(reply) => self.sessions().await.map(|list| _ = reply.send(list)),
                Order::Create(done) => self.create().await.map(|group| _ = done.send(group)),
                Order::Invite { group, user, done } => self.invite(group, user).await.map(|()| _ = done.send(())),
                Order::End(reply) => {
                    let _ = reply.send(self.end().await);
                    return;
                }
            };
            if let Err(error) = done {
                self.ledger.refuse(format!("{}: {error:#}", self.name));
            }
        }
    }

    async fn say(&self, conversation: ConversationId, text: String) -> anyhow::Result<()> {
        let id = self.ledger.say(Handed {
            client_msg_id: String::new(),
            user: self.user,
            device_id: self.device_id.clone(),
            conversation,
            content: text.clone(),
            nickname: self.nickname.clone(),
            acked: None,
            acked_at: None,
        });
        let id: ClientMsgId = id.parse()?;
        self.client()?.send_as(id, conversation, Draft::text(text)).await.context("cannot say something")?;
        Ok(())
    }

    async fn join(&self, group: GroupId, owner: &mpsc::Sender<Order>) -> anyhow::Result<()> {
        let (done, joined) = oneshot::channel();
        owner.send(Order::Invite { group, user: self.user, done }).await.context("the group's owner is gone")?;
        joined.await.context("the group's owner did not let the user in")
    }

    async fn create(&self) -> anyhow::Result<GroupId> {
        let new = NewGroup {
            client_group_id: uuid::Uuid::now_v7().to_string(),
            name: "replay".to_owned(),
            ..NewGroup::default()
        };
        let client = self.client()?;
        let group = persist(|| client.create_group(new.clone())).await.context("cannot make the group")?;
        Ok(GroupId(group.group_id))
    }

    async fn invite(&self, group: GroupId, user: UserId) -> anyhow::Result<()> {
        let client = self.client()?;
        let users = [user];
        persist(|| client.invite(group, &users)).await.with_context(|| format!("cannot invite user {user}"))?;
        Ok(())
    }

    /// What was said before is stored before.
    async fn leave(&self, group: GroupId) -> anyhow::Result<()> {
        self.finish().await?;
        let client = self.client()?;
        match persist(|| client.leave(group)).await {
            // The answer to the first attempt was lost.
            Err(Error::Refused(error)) if error.code() == ErrorCode::NotMember => Ok(()),
            left => left.context("cannot leave"),
        }
    }

    /// What was said before bears the old name.
    async fn rename(&mut self, nickname: String) -> anyhow::Result<()> {
        self.finish().await?;
        let client = self.client()?;
        let change = || client.update_profile(Changed { nickname: Some(nickname.clone()), avatar: None });
        persist(change).await.context("cannot change the nickname")?;
        self.nickname = nickname;
        Ok(())
    }

    /// Without a word to the server or to the SDK.
    async fn crash(&mut self) -> anyhow::Result<()> {
        if let Some(App { client, listener }) = self.app.take() {
            self.runs.extend(listener.end().await);
            drop(client);
        }
        self.start().await
    }

    async fn rest(&mut self, time: Duration) -> anyhow::Result<()> {
        self.close().await;
        sleep(time).await;
        self.start().await
    }

    async fn close(&mut self) {
        if let Some(App { client, listener }) = self.app.take() {
            client.close().await;
            self.runs.extend(listener.end().await);
        }
    }

    /// A crashed client lets go of its store when its task has ended, a little later.
    async fn start(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + ORDER_MAX;
        let client = loop {
            match Client::open(self.config.clone()).await {
                Err(Error::Store(_)) if Instant::now() < until => sleep(LOOK_EVERY).await,
                opened => break opened.with_context(|| format!("cannot open {}", self.name))?,
            }
        };
        let (ledger, positions) = (Arc::clone(&self.ledger), Arc::clone(&self.positions));
        let listener = Listener::start(client.clone(), self.device_id.clone(), ledger, positions, self.seed);
        self.app = Some(App { client, listener });
        Ok(())
    }

    fn client(&self) -> anyhow::Result<&Client> {
        Ok(&self.app.as_ref().context("the app is closed")?.client)
    }

    /// Waits until nothing is left to be sent.
    async fn finish(&self) -> anyhow::Result<()> {
        let client = self.client()?;
        let until = Instant::now() + ORDER_MAX;
        loop {
            let unsent = client.unsent().await?;
            let waiting = unsent.iter().filter(|queued| queued.refused.is_none()).count();
            if waiting == 0 {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("{waiting} messages were not sent in time, while {:?}", client.state());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn sessions(&self) -> anyhow::Result<Option<Vec<v1::Session>>> {
        let client = self.client()?;
        Ok(if client.state() == State::CaughtUp { Some(client.sessions().await?) } else { None })
    }

    async fn end(mut self) -> anyhow::Result<DeviceRecord> {
        let client = self.client()?;
        for queued in client.unsent().await? {
            let why = queued.refused.map_or("not sent in time".to_owned(), |error| error.message);
            self.ledger.refuse(format!("{}: {} in {}: {why}", self.name, queued.client_msg_id, queued.conversation));
        }
        // A device looks now and then whether it missed something, and says that it is not caught up while it does.
        if !matches!(tokio::time::timeout(ORDER_MAX, client.caught_up()).await, Ok(Ok(()))) {
            self.ledger.refuse(format!("{} is not up to date at the end, but {:?}", self.name, client.state()));
        }
        let (kept, sessions) = (read_kept(client, |_| {}).await?, client.sessions().await?);
        self.close().await;
        let pushes = self.road.pushes();
        let Self { name, device_id, user, runs, .. } = self;
        Ok(DeviceRecord { name, device_id, user, runs, kept, sessions, pushes })
    }
}

/// Asks again until it is done, refused for ever, or took too long. For what does no harm when it is done twice.
async fn persist<T, F>(ask: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let until = Instant::now() + ORDER_MAX;
    loop {
        match ask().await {
            Err(error) if is_passing(&error) && Instant::now() < until => sleep(LOOK_EVERY).await,
            done => return done,
        }
    }
}

fn is_passing(error: &Error) -> bool {
    match error {
        Error::Offline | Error::Lost | Error::Busy => true,
        Error::Refused(error) => codes::error_row(error.code()).retry != codes::Retry::No,
        _ => false,
    }
}
