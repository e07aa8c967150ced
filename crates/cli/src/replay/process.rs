//! A device as a process of its own, which is killed with `kill -9` wherever it is and started again on its local store. Each life has
//! a file for what it tells. An order is given again until the file says that it is done, as an app does that does not know how
//! far it came: with the same `client_msg_id`.

use std::{collections::VecDeque, fs, process::Stdio, sync::Arc, time::Duration};

use anser_proto::{ConversationId, v1};
use anyhow::{Context as _, bail};
use serde::Serialize;
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, ChildStdin, Command},
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};

use super::{
    app::{Left, Me},
    device::{Body, Handle, ORDERS_MAX, Order, join},
    ledger::Ledger,
    life::{Ask, Asked, Birth, Evidence, Told, unpack},
    notes::{Notebook, Scribe as _},
    record::{Act, DeviceRecord, Handed, Pushes},
};

/// Of one play, at most: the first device of every fourth speaker, from the second on.
const PROCESSES_MAX: usize = 6;
const APART: usize = 4;
/// From the start of the first life until the device is up to date.
const OPEN_MAX: Duration = Duration::from_secs(120);
/// Between two looks at what a process has written.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub fn is_one(speaker: usize) -> bool {
    speaker % APART == 1 && speaker / APART < PROCESSES_MAX
}

impl Birth {
    /// Starts the process and waits until it is up to date.
    pub async fn open(self, ledger: Arc<Ledger>) -> anyhow::Result<Handle> {
        let name = self.name();
        let notebook = Arc::new(Notebook::new(Arc::clone(&ledger)));
        let life = Life::begin(&self, 1).await?;
        let mut process = Process {
            birth: self,
            ledger,
            notebook: Arc::clone(&notebook),
            life,
            lives: 1,
            me: None,
            asked: VecDeque::new(),
            numbers: 0,
            over: false,
        };
        let arrival = async {
            while process.me.is_none() {
                sleep(LOOK_EVERY).await;
                process.look()?;
            }
            anyhow::Ok(())
        };
        timeout(OPEN_MAX, arrival).await.with_context(|| format!("{name} does not get in"))??;
        let (user, device_id) = (process.me()?.user, process.birth.device_id.clone());
        let (orders, waiting) = mpsc::channel(ORDERS_MAX);
        let positions = Arc::clone(&notebook.positions);
        let task = tokio::spawn(process.live(waiting));
        Ok(Handle { name, device_id, user, orders, positions, body: Body::Process, task })
    }
}

/// One run of the program.
struct Life {
    child: Child,
    orders: ChildStdin,
    evidence: Evidence,
}

impl Life {
    async fn begin(birth: &Birth, number: u32) -> anyhow::Result<Self> {
        let evidence = birth.file.with_extension(format!("{number}.jsonl"));
        let mut child = Command::new(std::env::current_exe()?)
            .arg("replay-device")
            .env("ANSER_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(fs::OpenOptions::new().create_new(true).append(true).open(&evidence)?)
            .stderr(fs::OpenOptions::new().create(true).append(true).open(birth.file.with_extension("log"))?)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start a device")?;
        let orders = child.stdin.take().expect("it was piped");
        let mut life = Self { child, orders, evidence: Evidence::open(&evidence)? };
        life.order(birth).await?;
        Ok(life)
    }

    async fn order(&mut self, order: &impl Serialize) -> anyhow::Result<()> {
        let line = serde_json::to_string(order)? + "\n";
        // One that has ended is found when it is looked at.
        let _ = self.orders.write_all(line.as_bytes()).await;
        Ok(())
    }
}

/// Who waits for an order to be carried out.
enum Reply {
    Nobody,
    Finished(oneshot::Sender<()>),
    Sessions(oneshot::Sender<Option<Vec<v1::Session>>>),
    Left(oneshot::Sender<anyhow::Result<DeviceRecord>>),
}

struct Process {
    birth: Birth,
    ledger: Arc<Ledger>,
    notebook: Arc<Notebook>,
    life: Life,
    lives: u32,
    /// None until it is up to date for the first time.
    me: Option<Me>,
    /// What it has not said to have done, in order.
    asked: VecDeque<(Asked, Reply)>,
    numbers: u64,
    /// It said what it leaves.
    over: bool,
}

impl Process {
    async fn live(mut self, mut orders: mpsc::Receiver<Order>) {
        if let Err(error) = self.obey(&mut orders).await {
            self.ledger.refuse(format!("{}: {error:#}", self.birth.name()));
        }
    }

    async fn obey(&mut self, orders: &mut mpsc::Receiver<Order>) -> anyhow::Result<()> {
        while !self.over {
            tokio::select! {
                order = orders.recv(), if self.asked.len() < ORDERS_MAX => match order {
                    Some(order) => self.take(order).await?,
                    None => return Ok(()),
                },
                () = sleep(LOOK_EVERY) => self.look()?,
            }
        }
        Ok(())
    }

    /// It must be alive while it has not said what it leaves.
    fn look(&mut self) -> anyhow::Result<()> {
        let ended = self.life.child.try_wait()?;
        self.listen()?;
        match ended.filter(|_| !self.over) {
            Some(status) => {
                bail!("its process ended by itself, {status}: see {}", self.birth.file.with_extension("log").display())
            }
            None => Ok(()),
        }
    }

    fn listen(&mut self) -> anyhow::Result<()> {
        for told in self.life.evidence.told()? {
            match told {
                Told::Here(me) => _ = self.me.get_or_insert(me),
                Told::Fact(fact) => self.notebook.write(fact),
                Told::Done(number) => {
                    if let Reply::Finished(done) = self.reply() {
                        let _ = done.send(());
                    }
                    self.asked.pop_front_if(|(asked, _)| asked.number == number);
                }
                Told::Sessions(list) => {
                    if let Reply::Sessions(reply) = self.reply() {
                        let _ = reply.send(list.map(unpack).transpose()?);
                    }
                }
                Told::Left { store, sessions } => {
                    let left = Left { store, sessions: unpack(sessions)? };
                    self.over = true;
                    if let Reply::Left(reply) = self.reply() {
                        let _ = reply.send(self.record(left));
                    }
                }
            }
        }
        Ok(())
    }

    /// Who waits for what it is doing.
    fn reply(&mut self) -> Reply {
        self.asked.front_mut().map_or(Reply::Nobody, |(_, reply)| std::mem::replace(reply, Reply::Nobody))
    }

    fn record(&self, left: Left) -> anyhow::Result<DeviceRecord> {
        Ok(DeviceRecord {
            name: self.birth.name(),
            device_id: self.birth.device_id.clone(),
            user: self.me()?.user,
            runs: self.notebook.take_runs(),
            kept: left.kept(),
            sessions: left.sessions,
            pushes: Pushes::default(),
            file: Some(self.birth.file.clone()),
        })
    }

    fn me(&self) -> anyhow::Result<&Me> {
        self.me.as_ref().context("it never was up to date")
    }

    async fn take(&mut self, order: Order) -> anyhow::Result<()> {
        let (what, reply) = match order {
            Order::Act { id, conversation, act } => {
                self.hand(&id, conversation, &act)?;
                (ask(id, conversation, act), Reply::Nobody)
            }
            Order::Again(Handed { client_msg_id, conversation, act, .. }) => {
                (ask(client_msg_id, conversation, act), Reply::Nobody)
            }
            Order::PutAway(conversation, away) => {
                (Ask::PutAway { conversation: conversation.to_string(), away }, Reply::Nobody)
            }
            Order::Leave(group) => (Ask::Leave(group.0), Reply::Nobody),
            Order::Rename(nickname) => {
                // What is said from now on is said after that.
                self.me.as_mut().context("it never was up to date")?.nickname.clone_from(&nickname);
                (Ask::Rename(nickname), Reply::Nobody)
            }
            Order::Finish(done) => (Ask::Finish, Reply::Finished(done)),
            Order::Sessions(reply) => (Ask::Sessions, Reply::Sessions(reply)),
            Order::End(reply) => (Ask::End, Reply::Left(reply)),
            Order::Join(group, owner) => {
                // Whoever comes back must have left before.
                while !self.asked.is_empty() {
                    sleep(LOOK_EVERY).await;
                    self.look()?;
                }
                return join(self.me()?.user, group, &owner).await;
            }
            Order::Crash => return self.die(Duration::ZERO).await,
            Order::Rest(time) => return self.die(time).await,
            Order::Create(_) | Order::Invite { .. } | Order::Mute { .. } | Order::Announce(..) => {
                bail!("the group's owner is no process")
            }
        };
        self.numbers += 1;
        let asked = Asked { number: self.numbers, what };
        self.life.order(&asked).await?;
        self.asked.push_back((asked, reply));
        Ok(())
    }

    fn hand(&self, id: &str, conversation: ConversationId, act: &Act) -> anyhow::Result<()> {
        let Me { user, nickname } = self.me()?;
        self.ledger.hand(Handed {
            client_msg_id: id.to_owned(),
            user: *user,
            device_id: self.birth.device_id.clone(),
            conversation,
            act: act.clone(),
            nickname: nickname.clone(),
            acked: None,
            acked_at: None,
            refused: None,
        });
        Ok(())
    }

    /// `kill -9`, and after a while the next life, which is asked again for what this one did not say to have done.
    async fn die(&mut self, time: Duration) -> anyhow::Result<()> {
        self.life.child.kill().await.context("cannot kill it")?;
        self.listen()?;
        sleep(time).await;
        self.lives += 1;
        self.life = Life::begin(&self.birth, self.lives).await?;
        for (asked, _) in &self.asked {
            self.life.order(asked).await?;
        }
        Ok(())
    }
}

fn ask(id: String, conversation: ConversationId, act: Act) -> Ask {
    Ask::Act { id, conversation: conversation.to_string(), act }
}
