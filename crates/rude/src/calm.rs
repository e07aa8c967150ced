//! Two who talk to each other while somebody else attacks.

use std::{io, time::Duration};

use anser_proto::{
    ConversationId,
    v1::{self, client_frame::Request, message::Type, server_frame::Body},
};
use tokio::time::sleep;

use crate::{peer::Peer, site::Site};

/// A pair of users who write in turn, while a third one comes and goes.
pub struct Talk {
    site: Site,
    pair: [Peer; 2],
    conversation_id: String,
    turns: u64,
}

/// How often it went well, and what disturbed them, if anything did.
#[derive(Debug)]
pub struct Calm {
    /// Messages that were acknowledged and reached the other.
    pub messages: u64,
    /// Logins of the third one.
    pub logins: u64,
    pub disturbed: Option<io::Error>,
}

/// Messages for each login.
const LOGIN_EVERY: u64 = 8;
/// Messages for each one that is larger than what anybody may have under way.
const LARGE_EVERY: u64 = 4;
const LARGE_BYTES: usize = 32 * 1024;

impl Talk {
    pub async fn begin(site: &Site) -> io::Result<Self> {
        let pair = [site.login("calm-ada", "phone").await?, site.login_tcp("calm-bob", "phone").await?];
        let conversation_id = ConversationId::single(pair[0].user, pair[1].user).to_string();
        Ok(Self { site: site.clone(), pair, conversation_id, turns: 0 })
    }

    /// Goes on until told to stop, or until disturbed. Each message is acknowledged, and reaches the other, before the next.
    pub async fn go_on(&mut self, mut stop: impl FnMut(&Calm) -> bool, pause: Duration) -> Calm {
        let mut calm = Calm { messages: 0, logins: 0, disturbed: None };
        while calm.disturbed.is_none() && !stop(&calm) {
            calm.disturbed = self.turn(&mut calm).await.err();
            sleep(pause).await;
        }
        calm
    }

    async fn turn(&mut self, calm: &mut Calm) -> io::Result<()> {
        self.turns += 1;
        self.write().await?;
        calm.messages += 1;
        if self.turns.is_multiple_of(LOGIN_EVERY) {
            self.site.login("calm-cyd", "phone").await?;
            calm.logins += 1;
        }
        Ok(())
    }

    async fn write(&mut self) -> io::Result<()> {
        self.pair.reverse();
        let large = self.turns.is_multiple_of(LARGE_EVERY).then(|| "all is well ".repeat(LARGE_BYTES / 12));
        let [from, to] = &mut self.pair;
        let send = v1::Send {
            conversation_id: self.conversation_id.clone(),
            client_msg_id: format!("calm-{}", self.turns),
            r#type: Type::Text.into(),
            content: large.unwrap_or_else(|| "all is well".into()),
            ..Default::default()
        };
        let Body::Sent(sent) = from.ask(Request::Send(send)).await? else {
            return Err(io::Error::other("a message was refused"));
        };
        loop {
            if let Body::Message(event) = to.event().await?
                && event.message.is_some_and(|message| message.server_msg_id == sent.server_msg_id)
            {
                return Ok(());
            }
        }
    }
}
