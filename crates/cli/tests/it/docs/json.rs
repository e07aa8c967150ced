//! A client that says JSON frames as they stand on a page, and what two frames have in common whatever their values.

use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

pub struct Client {
    socket: WebSocketStream<TcpStream>,
    /// That came while an answer was awaited.
    events: VecDeque<Value>,
}

impl Client {
    pub async fn connect(host: &str) -> Self {
        let mut request = format!("ws://{host}/v1/ws").into_client_request().expect("an address");
        request.headers_mut().insert("sec-websocket-protocol", "anser.v1.json".parse().expect("a header"));
        let stream = TcpStream::connect(host).await.expect("the server is there");
        let (socket, _) = client_async(request, stream).await.expect("it speaks WebSocket");
        Self { socket, events: VecDeque::new() }
    }

    /// The answer to a frame as it stands.
    pub async fn say(&mut self, frame: &Value) -> Value {
        self.socket.send(Message::text(frame.to_string())).await.expect("it listens");
        loop {
            let came = self.came().await;
            if came["request_id"] == frame["request_id"] {
                return came;
            }
            assert!(came["request_id"].is_null(), "{frame} was answered with {came}");
            self.events.push_back(came);
        }
    }

    /// The body of the answer to a request, which is done.
    pub async fn ask(&mut self, request: &str, fields: Value) -> Value {
        let mut answer = self.say(&json!({ "request_id": 1000, request: fields })).await;
        let name = body(&answer).to_owned();
        assert_ne!(name, "error", "{request}: {answer}");
        answer[name].take()
    }

    /// The next event with this body; those before it are of no interest.
    pub async fn event(&mut self, name: &str) -> Value {
        loop {
            let event = match self.events.pop_front() {
                Some(event) => event,
                None => self.came().await,
            };
            if body(&event) == name {
                return event;
            }
        }
    }

    async fn came(&mut self) -> Value {
        let came = self.socket.next().await.expect("something comes").expect("something comes");
        serde_json::from_str(came.to_text().expect("text")).expect("JSON")
    }
}

/// What a frame is about: the name of its request or body.
pub fn body(frame: &Value) -> &str {
    let names = frame.as_object().expect("an object").keys();
    names.map(String::as_str).find(|name| *name != "request_id").expect("it has a body")
}

/// The names of all fields with the kinds of their values. What a list contains is listed once.
pub fn shape(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Array(entries) => {
            let mut shapes: Vec<_> = entries.iter().map(shape).collect();
            shapes.dedup();
            shapes.into()
        }
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
    }
}
