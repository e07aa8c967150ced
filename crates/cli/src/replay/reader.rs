//! Reads the truth from the server by bare requests of the protocol: what the SDK believes has no part in it.

use std::{collections::BTreeMap, time::Duration};

use anser_client::transport::{Dial, Transport};
use anser_proto::{
    ConversationId, UserId, VERSION,
    limits::PAGE_MAX,
    v1::{self, client_frame::Request, hello::Credential, server_frame::Body},
};
use anyhow::{Context as _, bail};
use tokio::time::timeout;

use super::record::View;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A logged-in connection that asks one thing at a time.
pub struct Reader {
    transport: Box<dyn Transport>,
    last_request: u32,
    pub user: UserId,
}

impl Reader {
    pub async fn login(network: &dyn Dial, token: String) -> anyhow::Result<Self> {
        let transport = network.dial().await.context("cannot reach the server to read its logs")?;
        let mut reader = Self { transport, last_request: 0, user: UserId(0) };
        let device = v1::Device { device_id: "replay-reader".to_owned(), ..Default::default() };
        let hello = v1::Hello {
            version: VERSION,
            credential: Some(Credential::Token(token)),
            device: Some(device),
            client: concat!("anser-replay/", env!("CARGO_PKG_VERSION")).to_owned(),
            ..Default::default()
        };
        let Body::Welcome(welcome) = reader.ask(Request::Hello(hello)).await? else { bail!("not welcome") };
        reader.user = UserId(welcome.user.context("the server says who one is")?.user_id);
        Ok(reader)
    }

    pub async fn ask(&mut self, request: Request) -> anyhow::Result<Body> {
        self.last_request += 1;
        let request_id = self.last_request;
        self.transport.send(v1::ClientFrame { request_id, request: Some(request) });
        loop {
            let frame = timeout(ANSWER_MAX, self.transport.receive()).await.context("no answer")?;
            let frame = frame.map_err(|closed| anyhow::anyhow!("the connection ended: {}", closed.reason))?;
            match frame.body {
                Some(Body::Error(error)) if frame.request_id == request_id => bail!("refused: {}", error.message),
                Some(body) if frame.request_id == request_id => return Ok(body),
                _ => {}
            }
        }
    }

    /// A log from its first entry that this user may see.
    pub async fn log(&mut self, conversation: ConversationId) -> anyhow::Result<View> {
        let mut view = View { reader: self.user, conversation, messages: Vec::new(), head: 0 };
        let mut after = 0;
        loop {
            let pull =
                v1::Pull { conversation_id: conversation.to_string(), after: Some(after), before: 0, limit: PAGE_MAX };
            let Body::Messages(page) = self.ask(Request::Pull(pull)).await? else { bail!("no messages") };
            view.head = page.head;
            view.messages.extend(page.messages);
            if !page.more || page.through <= after {
                return Ok(view);
            }
            after = page.through;
        }
    }

    pub async fn sessions(&mut self) -> anyhow::Result<BTreeMap<ConversationId, v1::Session>> {
        let mut sessions = BTreeMap::new();
        let mut after = String::new();
        loop {
            let list = v1::ListSessions { after, limit: PAGE_MAX };
            let Body::Sessions(page) = self.ask(Request::ListSessions(list)).await? else { bail!("no sessions") };
            after = page.sessions.last().map(|session| session.conversation_id.clone()).unwrap_or_default();
            for session in page.sessions {
                sessions.insert(session.conversation_id.parse()?, session);
            }
            if !page.more {
                return Ok(sessions);
            }
        }
    }
}
