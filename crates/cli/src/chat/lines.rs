//! Chat without a screen, for scripts and tests: a line of standard input is a message, a message of the other is a line of
//! standard output. Errors go to standard error. With numbers, a line may also be a command about a message, and a changed message is a line
//! that begins with `~`.

use std::{
    io::{self, BufRead as _, ErrorKind, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use anser_client::{
    Client, ClientMsgId, Consumer, ConversationId, Edit, Error, Event, Message, MessageState, Place, Sending, Start,
    State, Target, Unsent,
};
use anser_proto::limits::BODY_BYTES_MAX;
use anyhow::{Context as _, anyhow, bail};
use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use jiff::tz::TimeZone;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    changes,
    command::{self, Change, Command, How, Wrong, message_of},
    model::{Wish, is_newer},
    naming,
    text::Text,
    time, wash,
};
use crate::out;

/// How long the server may be out of reach while it is needed, or while messages wait after the end of the input.
const PATIENCE: Duration = Duration::from_secs(30);
/// Remembers in the local store what was shown.
const CONSUMER: &str = "lines";
/// Messages on their way; the input waits while there are more.
const PENDING_MAX: usize = 256;

/// Whether messages are shown with the numbers by which commands name them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    Shown,
    Hidden,
}

/// Sends the input and shows what comes, until the input ends, everything of it is sent, and what was missed is shown.
/// `store` is the file of the client's local store; a user who was made since `began_ms` is told so.
pub async fn run(
    client: &Client,
    to: Wish,
    text: Text,
    store: Option<&Path>,
    began_ms: u64,
    numbers: Numbers,
) -> anyhow::Result<()> {
    let told = |error| anyhow!(text.error(&error));
    let mut events = client.events();
    let conversation = find(client, to, text, store).await?;
    client.look_at(conversation).await.map_err(told)?;
    if client.session(conversation).await.map_err(told)?.is_none() {
        // Whoever writes has read: what is unread must be known before.
        arrive(client, text, store).await?;
    }
    let mut printer = Printer::new(client, conversation, text, numbers).await.map_err(told)?;
    let mut input = read_stdin(text);
    let mut pending: FuturesUnordered<BoxFuture<'static, Result<Place, Unsent>>> = FuturesUnordered::new();
    let mut open = true;
    let mut caught_up = client.state() == State::CaughtUp;
    let mut said_new = false;
    let mut failed = 0;
    let mut give_up = Instant::now() + PATIENCE;
    while open || !pending.is_empty() || !caught_up {
        if caught_up && !std::mem::replace(&mut said_new, true) {
            tell_if_new(client, text, began_ms);
        }
        tokio::select! {
            // What came is shown before anything can end the loop.
            biased;
            message = printer.consumer.next() => match message.map_err(told)? {
                Some(message) => if printer.show(&message).await?.is_break() {
                    return Ok(());
                },
                None => bail!("{}", text.client_closed()),
            },
            event = events.next() => match event {
                Some(Event::State(State::Stopped(reason))) => bail!("{}", text.stopped(&reason, store)),
                Some(Event::Changed(message)) => if printer.show_changed(&message)?.is_break() {
                    return Ok(());
                },
                // Among events that were dropped it may have been said too.
                Some(_) => caught_up |= client.state() == State::CaughtUp,
                None => bail!("{}", text.client_closed()),
            },
            Some(sent) = pending.next() => {
                give_up = Instant::now() + PATIENCE;
                if let Err(error) = sent {
                    failed += 1;
                    out::aside(format_args!("anser: {}\n", text.unsent(&error)));
                }
            }
            line = input.recv(), if open && pending.len() < PENDING_MAX => match line {
                Some(line) => match printer.obey(&line?).await? {
                    Some(sending) => pending.push(Box::pin(async move { sending.sent().await })),
                    None => failed += 1,
                },
                None => (open, give_up) = (false, Instant::now() + PATIENCE),
            },
            () = sleep_until(give_up), if !open => bail!("{}", text.no_answer(PATIENCE.as_secs(), pending.len())),
        }
    }
    match printer.show_rest().await? {
        Going::Continue(()) if failed > 0 => bail!("{}", text.refused(failed)),
        _ => Ok(()),
    }
}

fn tell_if_new(client: &Client, text: Text, began_ms: u64) {
    if let Some(me) = client.me().filter(|me| is_newer(me, began_ms)) {
        out::aside(format_args!("anser: {}\n", text.new_here(&me.account)));
    }
}

/// Waits until everything from before is here.
async fn arrive(client: &Client, text: Text, store: Option<&Path>) -> anyhow::Result<()> {
    match timeout(PATIENCE, client.caught_up()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(reason)) => bail!("{}", text.stopped(&reason, store)),
        Err(_) => bail!("{}", text.unreachable()),
    }
}

/// The conversation meant: from the local store, or by asking the server as soon as it is there.
async fn find(client: &Client, to: Wish, text: Text, store: Option<&Path>) -> anyhow::Result<ConversationId> {
    let account = match to {
        Wish::Conversation(conversation) => return Ok(conversation),
        Wish::Account(account) => account,
    };
    let told = |error: Error| anyhow!(text.error(&error));
    for session in client.sessions().await.map_err(told)? {
        if session.peer.as_ref().is_some_and(|peer| peer.account == account) {
            return Ok(session.conversation_id);
        }
    }
    arrive(client, text, store).await?;
    let users = client.users_by_account(&[&account]).await.map_err(told)?;
    let peer = users.first().with_context(|| text.nobody_is(&account))?;
    let me = client.me().context(text.nobody_told())?;
    Ok(ConversationId::single(me.user_id, peer.user_id))
}

/// Lines without their ends; empty ones are left out. A thread of its own reads, since reading cannot be stopped: it
/// ends with the process.
fn read_stdin(text: Text) -> mpsc::Receiver<anyhow::Result<String>> {
    let (tell, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = stdin.by_ref().take(BODY_BYTES_MAX as u64 + 2).read_until(b'\n', &mut line);
            let line = match read {
                Ok(0) => return,
                Ok(_) => line_of(line, text),
                Err(error) => Err(anyhow!(error).context(text.cannot_read())),
            };
            let broken = line.is_err();
            let empty = line.as_ref().is_ok_and(|line| line.trim().is_empty());
            if (!empty && tell.blocking_send(line).is_err()) || broken {
                return;
            }
        }
    });
    lines
}

fn line_of(bytes: Vec<u8>, text: Text) -> anyhow::Result<String> {
    let mut line = String::from_utf8(bytes).map_err(|_| anyhow!(text.no_utf8()))?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    if line.len() > BODY_BYTES_MAX {
        bail!("{}", text.line_too_long(BODY_BYTES_MAX));
    }
    Ok(line)
}

/// Shows the messages of one conversation: at least once, and in order.
struct Printer {
    client: Client,
    consumer: Consumer,
    conversation: ConversationId,
    text: Text,
    zone: TimeZone,
    numbers: Numbers,
    last: Last,
}

/// What a command means that names no number.
struct Last {
    shown: u64,
    others: Option<u64>,
    own: Option<ClientMsgId>,
}

type Going = std::ops::ControlFlow<()>;

impl Printer {
    async fn new(client: &Client, conversation: ConversationId, text: Text, numbers: Numbers) -> Result<Self, Error> {
        let consumer = client.consumer(CONSUMER, Start::Unread).await?.only(conversation);
        let shown = client.session(conversation).await?.map_or(0, |session| session.read_mark);
        let (client, zone) = (client.clone(), TimeZone::system());
        let last = Last { shown, others: None, own: None };
        Ok(Self { client, consumer, conversation, text, zone, numbers, last })
    }

    /// All that is there already.
    async fn show_rest(&mut self) -> anyhow::Result<Going> {
        while let Some(message) = self.consumer.ready().await.map_err(|error| anyhow!(self.text.error(&error)))? {
            if self.show(&message).await?.is_break() {
                return Ok(Going::Break(()));
            }
        }
        Ok(Going::Continue(()))
    }

    /// Breaks when nobody reads the output any more.
    async fn show(&mut self, message: &Message) -> anyhow::Result<Going> {
        let is_mine = self.client.me().is_some_and(|me| me.user_id == message.from_id);
        if self.numbers == Numbers::Shown && message.notice.is_none() {
            if self.write(&self.numbered(message))?.is_break() {
                return Ok(Going::Break(()));
            }
        } else if !is_mine && message.notice.is_none() && message.state == MessageState::Present {
            let time = time::exact(&self.zone, message.server_time_ms);
            let (name, content) = (wash::line(&message.from_nickname), wash::line(&message.content));
            if self.write(&format!("{time} {name}: {content}"))?.is_break() {
                return Ok(Going::Break(()));
            }
        }
        self.last.shown = message.server_msg_id;
        if !is_mine && message.notice.is_none() {
            self.last.others = Some(message.server_msg_id);
        }
        // Killed before this, it shows the line again rather than never.
        self.consumer.ack().await?;
        self.client.mark_read(self.conversation, message.server_msg_id).await?;
        Ok(Going::Continue(()))
    }

    /// A message that was shown is another one now.
    fn show_changed(&self, message: &Message) -> anyhow::Result<Going> {
        let was_shown = message.conversation_id == self.conversation && message.server_msg_id <= self.last.shown;
        match self.numbers {
            Numbers::Shown if was_shown => self.write(&format!("~ {}", self.numbered(message))),
            _ => Ok(Going::Continue(())),
        }
    }

    fn numbered(&self, message: &Message) -> String {
        let (time, id) = (time::exact(&self.zone, message.server_time_ms), message.server_msg_id);
        let name = wash::line(&message.from_nickname);
        let body = wash::line(&changes::body(self.text, message));
        let me = self.client.me().map_or(anser_client::UserId(0), |me| me.user_id);
        let reactions = changes::reactions(message, me);
        let gap = if reactions.is_empty() { "" } else { "  " };
        let answers = message.reply_to.map_or_else(String::new, |id| format!("↳ #{id} "));
        format!("{time} #{id} {name}: {answers}{body}{gap}{reactions}")
    }

    fn write(&self, line: &str) -> anyhow::Result<Going> {
        let mut out = io::stdout().lock();
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            Ok(()) => Ok(Going::Continue(())),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Going::Break(())),
            Err(error) => Err(anyhow!(error).context(self.text.cannot_write())),
        }
    }

    /// Sends a line, or does what it says; or says why not, and goes on.
    async fn obey(&mut self, line: &str) -> anyhow::Result<Option<Sending>> {
        match self.try_to_obey(line).await? {
            Ok(sending) => Ok(Some(sending)),
            Err(why) => {
                out::aside(format_args!("anser: {why}\n"));
                Ok(None)
            }
        }
    }

    async fn try_to_obey(&mut self, line: &str) -> anyhow::Result<Result<Sending, String>> {
        let parsed = if self.numbers == Numbers::Shown { command::parse(line) } else { None };
        let is_reply = |change: &Change| matches!(change.how, How::Reply(_));
        let is_message = match &parsed {
            Some(Ok(Command::Change(change))) => is_reply(change),
            _ => true,
        };
        let queued = match parsed {
            None => {
                let content = if self.numbers == Numbers::Shown { message_of(line) } else { line };
                match naming::draft(&self.client, self.conversation, content).await {
                    Ok(draft) => self.client.send(self.conversation, draft).await,
                    Err(error) => return Ok(Err(self.text.error(&error))),
                }
            }
            Some(Ok(Command::Change(change))) => match self.change(change).await {
                Ok(queued) => queued,
                Err(why) => return Ok(Err(why)),
            },
            Some(Err(wrong)) => return Ok(Err(self.text.wrong(&wrong))),
            Some(Ok(_)) => {
                let typed = line.split_whitespace().next().unwrap_or_default().to_owned();
                return Ok(Err(self.text.wrong(&Wrong::Unknown { typed, near: None })));
            }
        };
        let sending = queued.map_err(|error| anyhow!(self.text.error(&error)))?;
        if is_message {
            self.last.own = Some(sending.client_msg_id().clone());
        }
        Ok(Ok(sending))
    }

    async fn change(&self, change: Change) -> Result<Result<Sending, Error>, String> {
        let (client, conversation) = (&self.client, self.conversation);
        let nothing = || self.text.no_such_message(None);
        let unnamed = |error: Error| self.text.error(&error);
        let others = || change.number.or(self.last.others).ok_or_else(nothing);
        let own = || {
            let own = self.last.own.clone().map(Target::from);
            change.number.map(Target::from).or(own).ok_or_else(nothing)
        };
        Ok(match &change.how {
            How::Reply(text) => {
                let draft = naming::draft(client, conversation, text.as_str()).await;
                client.reply(conversation, others()?, draft.map_err(unnamed)?).await
            }
            How::Edit(text) => {
                let mut edit = self.edit(change.number, text).await;
                edit.mentions = naming::mentions(client, conversation, text).await.map_err(unnamed)?;
                client.edit(conversation, own()?, edit).await
            }
            How::Recall => client.recall(conversation, own()?).await,
            How::React(emojis) => client.react(conversation, others()?, emojis).await,
            How::Pin => client.pin(conversation, others()?).await,
            How::Unpin => client.unpin(conversation, others()?).await,
        })
    }

    /// Another text of the message with this number, which shows what it did beside it. The last one that was written here shows nothing else.
    async fn edit(&self, number: Option<u64>, text: &str) -> Edit {
        let target = match number {
            Some(number) => self.client.message(self.conversation, number).await.ok().flatten(),
            None => None,
        };
        target.map_or_else(|| Edit::text(text), |target| changes::edit_of(&target, text.to_owned()))
    }
}
