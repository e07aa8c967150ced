//! Chat without a screen, for scripts and tests: a line of standard input is a message, a message of the other is a line of
//! standard output. Errors go to standard error.

use std::{
    io::{self, BufRead as _, ErrorKind, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use anser_client::{Client, Consumer, ConversationId, Draft, Error, Event, Message, Place, Start, State, Unsent};
use anser_proto::limits::BODY_BYTES_MAX;
use anyhow::{Context as _, anyhow, bail};
use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use jiff::tz::TimeZone;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    model::{Wish, is_newer},
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

/// Sends the input and shows what comes, until the input ends, everything of it is sent, and what was missed is shown.
/// `store` is the file of the client's local store; a user who was made since `began_ms` is told so.
pub async fn run(client: &Client, to: Wish, text: Text, store: Option<&Path>, began_ms: u64) -> anyhow::Result<()> {
    let told = |error| anyhow!(text.error(&error));
    let mut events = client.events();
    let conversation = find(client, to, text, store).await?;
    client.look_at(conversation).await.map_err(told)?;
    if client.session(conversation).await.map_err(told)?.is_none() {
        // Whoever writes has read: what is unread must be known before.
        arrive(client, text, store).await?;
    }
    let consumer = client.consumer(CONSUMER, Start::Unread).await.map_err(told)?.only(conversation);
    let mut printer = Printer { client: client.clone(), consumer, conversation, text, zone: TimeZone::system() };
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
    while let Some(message) = printer.consumer.ready().await.map_err(told)? {
        if printer.show(&message).await?.is_break() {
            return Ok(());
        }
    }
    if failed > 0 {
        bail!("{}", text.refused(failed));
    }
    Ok(())
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
}

type Going = std::ops::ControlFlow<()>;

impl Printer {
    /// Breaks when nobody reads the output any more.
    async fn show(&mut self, message: &Message) -> anyhow::Result<Going> {
        let is_mine = self.client.me().is_some_and(|me| me.user_id == message.from_id);
        if !is_mine && message.notice.is_none() {
            let time = time::exact(&self.zone, message.server_time_ms);
            let (name, content) = (wash::line(&message.from_nickname), wash::line(&message.content));
            let mut out = io::stdout().lock();
            match writeln!(out, "{time} {name}: {content}").and_then(|()| out.flush()) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Going::Break(())),
                Err(error) => return Err(anyhow!(error).context(self.text.cannot_write())),
            }
        }
        // Killed before this, it shows the line again rather than never.
        self.consumer.ack().await?;
        self.client.mark_read(self.conversation, message.server_msg_id).await?;
        Ok(Going::Continue(()))
    }
}
