//! Chat without a screen, for scripts and tests: a line of standard input is a message, a message of the other is a line of
//! standard output. Errors go to standard error.

use std::{
    io::{self, BufRead as _, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anser_client::{Client, Draft, Error, Event, Place, State, Unsent};
use anser_proto::{
    ConversationId, UserId,
    limits::{BODY_BYTES_MAX, PAGE_MAX},
    v1,
};
use anyhow::{Context as _, anyhow, bail};
use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use jiff::tz::TimeZone;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{model::Wish, text::Text, time, wash};

/// How long the server may be out of reach while it is needed, or while messages wait after the end of the input.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages on their way; the input waits while there are more.
const PENDING_MAX: usize = 256;

/// Sends the input and shows what comes, until the input ends, everything of it is sent, and what was missed is shown.
/// `store` is the file of the client's local store.
pub async fn run(client: &Client, to: Wish, text: Text, store: Option<&Path>) -> anyhow::Result<()> {
    let told = |error| anyhow!(text.error(&error));
    let mut events = client.events();
    let conversation = find(client, to, text, store).await?;
    client.look_at(conversation).await.map_err(told)?;
    let store = store.map(Path::to_owned);
    let mut printer = Printer { client: client.clone(), conversation, text, store, zone: TimeZone::system(), last: 0 };
    let mut input = read_stdin(text);
    let mut pending: FuturesUnordered<BoxFuture<'static, Result<Place, Unsent>>> = FuturesUnordered::new();
    let mut open = true;
    let mut caught_up = client.state() == State::CaughtUp;
    let mut failed = 0;
    let mut give_up = Instant::now() + PATIENCE;
    while open || !pending.is_empty() || !caught_up {
        tokio::select! {
            // What came is shown before anything can end the loop.
            biased;
            event = events.next() => match event {
                Some(event) => {
                    // Among events that were dropped it may have been said too.
                    caught_up |= match &event {
                        Event::Lagged(_) => client.state() == State::CaughtUp,
                        event => *event == Event::State(State::CaughtUp),
                    };
                    if printer.hear(event).await?.is_break() {
                        return Ok(());
                    }
                }
                None => bail!("{}", text.client_closed()),
            },
            Some(sent) = pending.next() => {
                give_up = Instant::now() + PATIENCE;
                if let Err(error) = sent {
                    failed += 1;
                    eprintln!("anser: {}", text.unsent(&error));
                }
            }
            line = input.recv(), if open && pending.len() < PENDING_MAX => match line {
                Some(line) => {
                    let sending = client.send(conversation, Draft::text(line?)).await.map_err(told)?;
                    pending.push(Box::pin(async move { sending.sent().await }));
                }
                None => {
                    open = false;
                    give_up = Instant::now() + PATIENCE;
                }
            },
            () = sleep_until(give_up), if !open => bail!("{}", text.no_answer(PATIENCE.as_secs(), pending.len())),
        }
    }
    if failed > 0 {
        bail!("{}", text.refused(failed));
    }
    Ok(())
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
            return Ok(session.conversation_id.parse()?);
        }
    }
    match timeout(PATIENCE, client.caught_up()).await {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => bail!("{}", text.stopped(&reason, store)),
        Err(_) => bail!("{}", text.unreachable()),
    }
    let users = client.users_by_account(&[&account]).await.map_err(told)?;
    let peer = users.first().with_context(|| text.nobody_is(&account))?;
    let me = client.me().context(text.nobody_told())?;
    Ok(ConversationId::single(UserId(me.user_id), UserId(peer.user_id)))
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

/// Shows the messages of one conversation, each once and in order.
struct Printer {
    client: Client,
    conversation: ConversationId,
    text: Text,
    store: Option<PathBuf>,
    zone: TimeZone,
    /// The last id that was shown.
    last: u64,
}

type Going = std::ops::ControlFlow<()>;

impl Printer {
    /// Breaks when nobody reads the output any more.
    async fn hear(&mut self, event: Event) -> anyhow::Result<Going> {
        match event {
            Event::Message(message) if message.conversation_id == self.conversation.to_string() => {
                self.show(&[message]).await
            }
            // Events were dropped, the messages were not: they are read from the store.
            Event::Lagged(_) => {
                let missed = self.missed().await?;
                self.show(&missed).await
            }
            Event::State(State::Stopped(reason)) => bail!("{}", self.text.stopped(&reason, self.store.as_deref())),
            _ => Ok(Going::Continue(())),
        }
    }

    async fn missed(&self) -> anyhow::Result<Vec<Arc<v1::Message>>> {
        let mut missed: Vec<Arc<v1::Message>> = Vec::new();
        loop {
            let before = missed.first().map(|message| message.server_msg_id);
            let page = self.client.history(self.conversation, before, PAGE_MAX).await?;
            let reached = page.messages.first().is_none_or(|message| message.server_msg_id <= self.last);
            missed.splice(0..0, page.messages.into_iter().filter(|message| message.server_msg_id > self.last));
            // Who never saw anything is not shown the whole past.
            if reached || !page.more || self.last == 0 {
                return Ok(missed);
            }
        }
    }

    async fn show(&mut self, messages: &[Arc<v1::Message>]) -> anyhow::Result<Going> {
        let me = self.client.me().map_or(0, |me| me.user_id);
        for message in messages {
            if message.server_msg_id <= self.last {
                continue;
            }
            self.last = message.server_msg_id;
            if message.from_id == me || message.notice.is_some() {
                continue;
            }
            let time = time::exact(&self.zone, message.server_time_ms);
            let (name, content) = (wash::line(&message.from_nickname), wash::line(&message.content));
            let mut out = io::stdout().lock();
            match writeln!(out, "{time} {name}: {content}").and_then(|()| out.flush()) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Going::Break(())),
                Err(error) => return Err(anyhow!(error).context(self.text.cannot_write())),
            }
        }
        if self.last > 0 {
            self.client.mark_read(self.conversation, self.last).await?;
        }
        Ok(Going::Continue(()))
    }
}
