//! The app on a device: an SDK client and what shows its messages. Starts, dies and comes back on the same local store; says and
//! asks what it is told to. Writes what it shows to a scribe, and knows nobody else of the play.

use std::{sync::Arc, time::Duration};

use anser_client::{
    Bounds, Changed, Client, Config, Credential, Draft, Edit, Error, FirstPage, GroupUpdate, Keep, MessageState,
    NewGroup, Queued, Session, State, Target,
};
use anser_proto::{ClientMsgId, ConversationId, ErrorCode, GroupId, UserId, v1};
use anser_server::system_clock;
use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

use super::{
    listener::{Listener, Origin, read_store},
    notes::{Fact, Listed, Scribe},
    record::{Act, Away, Kept},
};

/// How long one order may take, the server's and the network's absences included.
const ORDER_MAX: Duration = Duration::from_secs(90);
/// Longer than any play: whoever is muted is let speak by its script.
const MUTED_MS: u64 = 24 * 3600 * 1000;
/// Between two looks at something that is on its way.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub struct App {
    /// `account/device_id`
    pub name: String,
    device_id: String,
    config: Config,
    seed: u64,
    scribe: Arc<dyn Scribe>,
    origin: Origin,
    /// None while it is closed.
    running: Option<Running>,
}

struct Running {
    client: Client,
    listener: Listener,
}

/// Who one is on the server.
#[derive(Serialize, Deserialize)]
pub struct Me {
    #[serde(with = "as_number")]
    pub user: UserId,
    pub nickname: String,
}

/// What a device has in the end.
pub struct Left {
    pub store: Vec<Listed>,
    pub sessions: Vec<v1::Session>,
}

impl Left {
    pub fn kept(&self) -> Kept {
        self.store.iter().map(|listed| (listed.conversation, listed.seen.clone())).collect()
    }
}

mod as_number {
    use anser_proto::UserId;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(user: &UserId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(user.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UserId, D::Error> {
        u64::deserialize(deserializer).map(UserId)
    }
}

/// What all devices of a play have in common: they want everything from its beginning.
pub fn config(url: String, token: String, device_id: String, store: Keep, check_every_ms: u64) -> Config {
    let mut config = Config::new(url, Credential::Token(token));
    config.device_id = Some(device_id);
    config.store = store;
    // What each device shows is judged whole.
    config.bounds = Bounds::NONE;
    config.policy.first_page = FirstPage::All;
    config.policy.gap_max = u64::MAX;
    config.policy.check_every_ms = check_every_ms;
    config
}

impl App {
    /// Opens it and waits until it is up to date.
    pub async fn open(name: String, config: Config, seed: u64, scribe: Arc<dyn Scribe>) -> anyhow::Result<(Self, Me)> {
        let device_id = config.device_id.clone().unwrap_or_default();
        let inherits = matches!(&config.store, Keep::File(file) if file.exists());
        let origin = if inherits { Origin::Inherited } else { Origin::Fresh };
        let mut app = Self { name, device_id, config, seed, scribe, origin, running: None };
        app.start().await?;
        let client = app.client()?;
        let arrived = timeout(ORDER_MAX, client.caught_up()).await;
        if let Err(reason) = arrived.with_context(|| format!("{} does not get in", app.name))? {
            bail!("{} is not let in: {reason:?}", app.name);
        }
        let me = client.me().context("the server says who one is")?;
        Ok((app, Me { user: me.user_id, nickname: me.nickname }))
    }

    /// The same id twice is the same act.
    pub async fn act(&self, id: ClientMsgId, conversation: ConversationId, act: Act) -> anyhow::Result<()> {
        let client = self.client()?;
        let queued = match act {
            Act::Say { content, manner } => {
                let mut draft = Draft::new(manner.kind(), content);
                draft.attachment = Bytes::from_static(manner.attachment());
                client.send_as(id, conversation, draft).await
            }
            Act::Edit { target, content } => client.edit_as(id, conversation, own(&target)?, Edit::text(content)).await,
            Act::Recall { target } => client.recall_as(id, conversation, own(&target)?).await,
            Act::React { place, emojis } => client.react_as(id, conversation, place, emojis).await,
        };
        queued.context("cannot queue what is said or changed")?;
        Ok(())
    }

    /// For all devices of the user.
    pub async fn put_away(&self, conversation: ConversationId, away: Away) -> anyhow::Result<()> {
        let client = self.client()?;
        let done = match away {
            Away::Hide(place) => {
                let ids = [place];
                persist(|| client.hide_messages(conversation, &ids)).await
            }
            Away::Clear(up_to) => persist(|| client.clear_session(conversation, up_to)).await,
        };
        done.with_context(|| format!("cannot put away {away:?} in {conversation}"))
    }

    pub async fn create(&self) -> anyhow::Result<GroupId> {
        let mut new = NewGroup::default();
        new.client_group_id = uuid::Uuid::now_v7().to_string();
        "replay".clone_into(&mut new.name);
        let client = self.client()?;
        let group = persist(|| client.create_group(new.clone())).await.context("cannot create the group")?;
        Ok(group.group_id)
    }

    pub async fn invite(&self, group: GroupId, user: UserId) -> anyhow::Result<()> {
        let client = self.client()?;
        let users = [user];
        persist(|| client.invite(group, &users)).await.with_context(|| format!("cannot invite user {user}"))?;
        Ok(())
    }

    /// Who is no member any more is left as they are.
    pub async fn mute(&self, group: GroupId, user: UserId, muted: bool) -> anyhow::Result<()> {
        let client = self.client()?;
        let (users, until_ms) = ([user], if muted { system_clock()() + MUTED_MS } else { 1 });
        persist(|| client.mute(group, &users, until_ms)).await.with_context(|| format!("cannot mute user {user}"))?;
        Ok(())
    }

    pub async fn announce(&self, group: GroupId, text: String) -> anyhow::Result<()> {
        let client = self.client()?;
        let mut update = GroupUpdate::default();
        update.announcement = Some(text);
        persist(|| client.update_group(group, update.clone())).await.context("cannot set the announcement")?;
        Ok(())
    }

    /// What was said before is stored before.
    pub async fn leave(&self, group: GroupId) -> anyhow::Result<()> {
        self.finish().await?;
        let client = self.client()?;
        match persist(|| client.leave(group)).await {
            // The answer to the first attempt was lost.
            Err(Error::Refused(error)) if error.error_code() == Some(ErrorCode::NotMember) => Ok(()),
            left => left.context("cannot leave"),
        }
    }

    /// What was said before bears the old name.
    pub async fn rename(&self, nickname: String) -> anyhow::Result<()> {
        self.finish().await?;
        let client = self.client()?;
        let mut changed = Changed::default();
        changed.nickname = Some(nickname.clone());
        let change = || client.update_profile(changed.clone());
        persist(change).await.context("cannot change the nickname")?;
        Ok(())
    }

    /// Without a word to the server or to the SDK.
    pub async fn crash(&mut self) -> anyhow::Result<()> {
        if let Some(Running { client, listener }) = self.running.take() {
            listener.end().await;
            drop(client);
        }
        self.start().await
    }

    pub async fn rest(&mut self, time: Duration) -> anyhow::Result<()> {
        self.close().await;
        sleep(time).await;
        self.start().await
    }

    async fn close(&mut self) {
        if let Some(Running { client, listener }) = self.running.take() {
            client.close().await;
            listener.end().await;
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
        let listener =
            Listener::start(client.clone(), self.device_id.clone(), Arc::clone(&self.scribe), self.origin, self.seed);
        self.origin = Origin::Inherited;
        self.running = Some(Running { client, listener });
        Ok(())
    }

    fn client(&self) -> anyhow::Result<&Client> {
        Ok(&self.running.as_ref().context("the app is closed")?.client)
    }

    /// Waits until nothing is left to be sent.
    pub async fn finish(&self) -> anyhow::Result<()> {
        let client = self.client()?;
        let until = Instant::now() + ORDER_MAX;
        loop {
            let unsent = client.unsent().await?;
            let waiting = unsent.iter().filter(|queued| queued.refused.is_none()).count();
            if waiting == 0 {
                // Who died before it was told finds it here.
                unsent.iter().for_each(|queued| self.note_refused(queued));
                return Ok(());
            }
            if Instant::now() > until {
                bail!("{waiting} messages were not sent in time, while {:?}", client.state());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    pub async fn sessions(&self) -> anyhow::Result<Option<Vec<v1::Session>>> {
        let client = self.client()?;
        Ok(if client.state() == State::CaughtUp { Some(sessions_of(client).await?) } else { None })
    }

    pub async fn end(mut self) -> anyhow::Result<Left> {
        let client = self.client()?;
        for queued in client.unsent().await? {
            self.note_refused(&queued);
            if queued.refused.is_none() {
                self.wrong(format!(
                    "{}: {} in {}: not sent in time",
                    self.name, queued.client_msg_id, queued.conversation
                ));
            }
        }
        // A device looks now and then whether it missed something, and says that it is not caught up while it does.
        if !matches!(timeout(ORDER_MAX, client.caught_up()).await, Ok(Ok(()))) {
            self.wrong(format!("{} is not up to date at the end, but {:?}", self.name, client.state()));
        }
        let left = Left { store: read_store(client, |_| {}).await?, sessions: sessions_of(client).await? };
        self.close().await;
        Ok(left)
    }

    fn note_refused(&self, queued: &Queued) {
        if let Some(refusal) = &queued.refused {
            let client_msg_id = queued.client_msg_id.as_str().to_owned();
            self.scribe.write(Fact::Refused { client_msg_id, code: refusal.code });
        }
    }

    fn wrong(&self, what: String) {
        self.scribe.write(Fact::Wrong(what));
    }
}

fn own(client_msg_id: &str) -> anyhow::Result<Target> {
    Ok(Target::Own(client_msg_id.parse()?))
}

/// Asks again until it is done, refused for ever, or took too long. For what does no harm when it is done twice.
async fn persist<T, F>(ask: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let until = Instant::now() + ORDER_MAX;
    loop {
        match ask().await {
            Err(error) if error.is_retryable() && Instant::now() < until => sleep(LOOK_EVERY).await,
            done => return done,
        }
    }
}

/// As the server would tell it, for the judge: where this device stands.
fn as_told(session: Session) -> v1::Session {
    let Session { head, unread, read_mark, delivered_mark, peer_read_mark, peer_delivered_mark, last, .. } = session;
    let conversation_id = session.conversation_id.to_string();
    let last = last.map(|last| v1::Preview {
        server_msg_id: last.server_msg_id,
        content: last.content,
        state: match last.state {
            MessageState::Recalled => v1::message::State::Recalled.into(),
            _ => v1::message::State::Present.into(),
        },
        ..v1::Preview::default()
    });
    v1::Session {
        conversation_id,
        head,
        unread,
        read_mark,
        delivered_mark,
        peer_read_mark,
        peer_delivered_mark,
        last,
        ..v1::Session::default()
    }
}

async fn sessions_of(client: &Client) -> Result<Vec<v1::Session>, Error> {
    Ok(client.sessions().await?.into_iter().map(as_told).collect())
}
