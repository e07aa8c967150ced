//! Somebody with one device: connects to any node, says things until they are acknowledged, and shows what comes as a client
//! must: the next one at once, nothing twice, and nothing behind a hole before the hole is pulled.

use std::{collections::BTreeMap, time::Duration};

use anser_proto::{
    ClientMsgId, ConversationId, UserId,
    v1::{self, client_frame::Request, server_frame::Body},
};
use tokio::time::Instant;

use crate::{
    line::{Gone, Line},
    town::Town,
};

pub struct Person {
    pub account: String,
    pub user: UserId,
    line: Option<Line>,
    said: u64,
    /// What was acknowledged, in the order in which it was said.
    pub acked: Vec<Acked>,
    /// What the device shows, of each conversation in order.
    pub shown: BTreeMap<ConversationId, Vec<v1::Message>>,
    /// Pulls because of a hole.
    pub pulls: u32,
    /// Logins.
    pub logins: u32,
}

#[derive(Debug)]
pub struct Acked {
    pub conversation: ConversationId,
    pub client_msg_id: ClientMsgId,
    pub server_msg_id: u64,
}

impl Person {
    pub fn new(account: &str) -> Self {
        Self {
            account: account.into(),
            user: UserId(0),
            line: None,
            said: 0,
            acked: Vec::new(),
            shown: BTreeMap::new(),
            pulls: 0,
            logins: 0,
        }
    }

    /// On this node, unless it is stopped. Tells whether the person is let in.
    pub async fn connect(&mut self, town: &Town, node: usize) -> bool {
        self.line = None;
        let Some(line) = Line::open(town, node) else { return false };
        let Some((line, welcome)) = line.log_in(town, &self.account, "phone").await else { return false };
        self.user = UserId(welcome.user.expect("who one is").user_id);
        self.logins += 1;
        self.line = Some(line);
        // What was pushed to nobody while the device was away.
        for conversation in self.shown.keys().copied().collect::<Vec<_>>() {
            self.catch_up(conversation).await;
        }
        true
    }

    pub fn is_connected(&self) -> bool {
        self.line.is_some()
    }

    pub fn disconnect(&mut self) {
        self.line = None;
    }

    /// So many messages in one go, once. Tells how many were acknowledged; the others must be said again before anything else.
    pub async fn say(&mut self, conversation: ConversationId, count: u64) -> u64 {
        let ids: Vec<String> =
            (self.said..self.said + count).map(|number| format!("{}-{number}", self.account)).collect();
        let sends = ids.iter().map(|client_msg_id| {
            Request::Send(v1::Send {
                conversation_id: conversation.to_string(),
                client_msg_id: client_msg_id.clone(),
                r#type: v1::message::Type::Text.into(),
                content: format!("{client_msg_id} to {conversation}"),
                ..Default::default()
            })
        });
        let Some(line) = &mut self.line else { return 0 };
        let answers = line.ask_all(sends.collect()).await;
        if answers.len() < ids.len() {
            self.line = None;
        }
        let mut acked = 0;
        for (client_msg_id, answer) in ids.iter().zip(answers) {
            match answer {
                // Behind one that failed nothing may be stored.
                Body::Sent(sent) => {
                    let client_msg_id = client_msg_id.parse().expect("visible ASCII");
                    self.acked.push(Acked { conversation, client_msg_id, server_msg_id: sent.server_msg_id });
                    acked += 1;
                }
                Body::Error(_) => break,
                other => panic!("no answer to a send: {other:?}"),
            }
        }
        self.said += acked;
        self.show_events().await;
        // Own messages come by their answers alone.
        self.catch_up(conversation).await;
        acked
    }

    pub async fn ask(&mut self, request: Request) -> Option<Body> {
        let answer = self.line.as_mut()?.ask(request).await;
        if answer.is_err() {
            self.line = None;
        }
        self.show_events().await;
        answer.ok()
    }

    /// Shows what comes for so long.
    pub async fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(line) = &mut self.line {
            match tokio::time::timeout_at(until, line.receive()).await {
                Ok(Ok(frame)) => line.events.extend(frame.body),
                Ok(Err(Gone)) => self.line = None,
                Err(_) => return,
            }
            self.show_events().await;
        }
        tokio::time::sleep_until(until).await;
    }

    async fn show_events(&mut self) {
        while let Some(event) = self.line.as_mut().and_then(|line| line.events.pop_front()) {
            match event {
                Body::Message(event) => self.take(event.message.expect("a message")).await,
                Body::Kicked(_) | Body::Draining(_) => self.line = None,
                _ => {}
            }
        }
    }

    async fn take(&mut self, message: v1::Message) {
        let conversation: ConversationId = message.conversation_id.parse().expect("a conversation");
        let shown = self.shown.entry(conversation).or_default();
        let next = shown.last().map_or(0, |last| last.server_msg_id) + 1;
        if message.server_msg_id == next {
            shown.push(message);
        } else if message.server_msg_id > next {
            self.pulls += 1;
            self.catch_up(conversation).await;
        }
    }

    /// Pulls all that is behind what is shown.
    pub async fn catch_up(&mut self, conversation: ConversationId) {
        loop {
            let after =
                self.shown.get(&conversation).and_then(|shown| shown.last()).map_or(0, |last| last.server_msg_id);
            let conversation_id = conversation.to_string();
            let pull = v1::Pull { conversation_id, after: Some(after), before: 0, limit: 200 };
            let Some(line) = &mut self.line else { return };
            match line.ask(Request::Pull(pull)).await {
                Ok(Body::Messages(page)) => {
                    let more = page.head > page.messages.last().map_or(after, |last| last.server_msg_id);
                    let empty = page.messages.is_empty();
                    self.shown.entry(conversation).or_default().extend(page.messages);
                    if empty || !more {
                        return;
                    }
                }
                Ok(Body::Error(_)) => return,
                Ok(other) => panic!("no page: {other:?}"),
                Err(Gone) => return self.line = None,
            }
        }
    }
}
