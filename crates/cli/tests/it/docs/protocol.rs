//! docs/protocol.md: Alice says what the page lets a client say, Bob and Carol do what is needed for it, and each frame of the server has
//! exactly the fields that the page shows.

use std::{fs, process::Command};

use anser_proto::{
    Format, GroupId,
    digest::groups_digest,
    v1::{ClientFrame, Device, Hello, client_frame::Request, hello::Credential},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    Block, blocks,
    json::{Client, body, shape},
    reader::Reader,
};

#[tokio::test]
async fn the_frames_of_the_protocol_are_those_of_a_server() {
    let mut story = Story::begin().await;
    let mut answers = Vec::new();
    for block in blocks("docs/protocol.md") {
        match block.fence.as_str() {
            "json client" => answers.push(story.say(&block).await),
            "json server" => {
                let shown: Value = serde_json::from_str(&block.text).expect("JSON");
                let told = match shown.get("request_id") {
                    Some(_) if body(&shown) == "error" => story.is_refused().await,
                    Some(id) => {
                        answers.iter().rfind(|answer| &answer["request_id"] == id).expect("it was asked").clone()
                    }
                    None => story.event(body(&shown), &shown).await,
                };
                assert_eq!(shape(&shown), shape(&told), "{}: a server says {told}", block.place);
                let (shown, told) = (&shown["error"]["code"], &told["error"]["code"]);
                assert_eq!(shown, told, "{}", block.place);
            }
            "json access" => {
                let told = access(story.reader.host()).await;
                assert_eq!(shape(&serde_json::from_str(&block.text).expect("JSON")), shape(&told), "{}", block.place);
            }
            "hex protobuf" | "hex json" => story.say_bytes(&block).await,
            // The next test.
            "python token" | "js token" | "sh token" => {}
            // Parts of a frame: the tests of the protocol read them.
            "json attachment" => {}
            "text" => {}
            _ => block.is_unknown(),
        }
    }
}

#[tokio::test]
async fn a_token_is_signed_in_three_languages() {
    let mut reader = Reader::new();
    reader.serve("anser serve --dev");
    let key = reader.checkout().join("anser-data/hs256.secret");
    let examples: Vec<_> =
        blocks("docs/protocol.md").into_iter().filter(|block| block.fence.ends_with(" token")).collect();
    assert_eq!(examples.len(), 3);
    for Block { place, fence, text } in &examples {
        let (language, _) = fence.split_once(' ').expect("two words");
        let interpreter = match language {
            "python" => "python3",
            "js" => "node",
            other => other,
        };
        let path = reader.home().join(format!("token.{language}"));
        fs::write(&path, text).expect("a file for the test");
        for account in ["alice", language] {
            let signed = Command::new(interpreter).arg(&path).arg(&key).arg(account).output().expect("it is installed");
            assert!(signed.status.success(), "{place}: {}", String::from_utf8_lossy(&signed.stderr));
            let token = String::from_utf8(signed.stdout).expect("text");
            let (_, welcome) = enter(&reader, token.trim(), json!({"device_id": language})).await;
            assert_eq!(welcome["user"]["account"], account, "{place}");
        }
        // As an editor leaves it.
        let secret = fs::read_to_string(&key).expect("a key of text");
        fs::write(&key, format!("{}\n", secret.trim())).expect("it is written");
    }
}

/// A connection that is logged in, and its `welcome`.
async fn enter(reader: &Reader, token: &str, device: Value) -> (Client, Value) {
    let mut client = Client::connect(reader.host()).await;
    let welcome = client.ask("hello", json!({"version": 1, "token": token, "device": device})).await;
    (client, welcome)
}

async fn access(host: &str) -> Value {
    let mut stream = TcpStream::connect(host).await.expect("it is there");
    let request = "GET /v1/access HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text");
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
}

const OURS: &str = "single_1008_1009";
/// Read by Alice before the page begins, and stored.
const READ: u32 = 9;
const STORED: u32 = 12;

struct Story {
    reader: Reader,
    alice: Client,
    bob: Client,
    /// Over TCP, in JSON.
    carol: TcpStream,
    carol_id: String,
    /// What Alice's device has when the page begins: ids of the page mean these.
    log_id: Value,
    mailbox_seq: Value,
    group_id: String,
    group_head: Value,
}

impl Story {
    /// To where the page begins: Alice's device was away while Bob wrote.
    async fn begin() -> Self {
        let mut reader = Reader::new();
        reader.serve("anser serve --dev");
        let token = |account: &str| reader.run(&format!("anser token make {account}")).trim().to_owned();
        let (mut alice, welcome) = enter(&reader, &token("alice"), json!({"device_id": "d-0"})).await;
        let (mut bob, _) = enter(&reader, &token("bob"), json!({"device_id": "d-99", "platform": "IOS"})).await;
        let (carol, carol_id) = over_tcp(&reader, &token("carol")).await;
        alice.ask("update_profile", json!({"nickname": "Ada"})).await;
        let group =
            alice.ask("create_group", json!({"client_group_id": "g", "name": "Geese", "user_ids": [carol_id]})).await;
        let group_id = group["group_id"].as_str().expect("an id").to_owned();
        let sent = alice.ask("send", message(&format!("group_{group_id}"), "honk")).await;
        for n in 1..STORED {
            bob.ask("send", message(OURS, &format!("{n}"))).await;
        }
        let marked = alice.ask("mark_read", json!({"conversation_id": OURS, "server_msg_id": READ.to_string()})).await;
        bob.ask("send", message(OURS, "see you")).await;
        let alice = Client::connect(reader.host()).await;
        Self {
            reader,
            alice,
            bob,
            carol,
            carol_id,
            log_id: welcome["log_id"].clone(),
            mailbox_seq: marked["mailbox_seq"].clone(),
            group_id,
            group_head: sent["server_msg_id"].clone(),
        }
    }

    /// As the page shows it, but for what a server chooses.
    async fn say(&mut self, block: &Block) -> Value {
        let text = block.text.replace("\"1010\"", &format!("{:?}", self.carol_id));
        let text = text.replace("\"group_id\": \"3\"", &format!("\"group_id\": {:?}", self.group_id));
        let mut frame: Value = serde_json::from_str(&text).expect("JSON");
        let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).expect("a number");
        let group = GroupId(self.group_id.parse().expect("an id"));
        let digest = groups_digest([(group, number(&self.group_head))]).to_string();
        match body(&frame).to_owned().as_str() {
            "hello" => {
                frame["hello"]["token"] = self.reader.run("anser token make alice").trim().into();
                frame["hello"]["positions"] =
                    json!({"log_id": self.log_id, "mailbox_seq": self.mailbox_seq, "groups_digest": digest});
            }
            "sync" if frame["sync"]["groups"].is_array() => {
                frame["sync"] = json!({
                    "mailbox_seq": self.mailbox_seq,
                    "groups": [{"group_id": self.group_id, "server_msg_id": self.group_head}],
                });
            }
            // There is something new to read.
            "get_presence" => self.await_presence_of_bob().await,
            "mark_read" => drop(self.bob.ask("send", message(OURS, "and you?")).await),
            "sync" => frame["sync"] = json!({"mailbox_seq": self.mailbox_seq, "groups_digest": digest}),
            _ => {}
        }
        let shown: Value = serde_json::from_str(&block.text).expect("JSON");
        assert_eq!(shape(&shown), shape(&frame), "{}: the test asks for something else", block.place);
        let answer = self.alice.say(&frame).await;
        if let Some(seq) = answer.pointer("/sync_page/mailbox_seq") {
            self.mailbox_seq = seq.clone();
        }
        answer
    }

    /// Until a contact is told that Bob is there.
    async fn await_presence_of_bob(&mut self) {
        let token = self.reader.run("anser token make eve");
        let (mut eve, welcome) = enter(&self.reader, token.trim(), json!({"device_id": "d-2"})).await;
        eve.ask("request_contact", json!({"user_id": "1009"})).await;
        self.bob.ask("answer_contact", json!({"user_id": welcome["user"]["user_id"], "accept": true})).await;
        let there = eve.ask("watch_presence", json!({})).await;
        if there.get("presences").is_none() {
            eve.event("presences").await;
        }
    }

    /// What the server tells by itself, once somebody has given the reason.
    async fn event(&mut self, name: &str, shown: &Value) -> Value {
        match name {
            "message" if shown["message"]["message"]["type"] == "NOTICE" => loop {
                let event = self.bob.event(name).await;
                if event["message"]["message"]["type"] == "NOTICE" {
                    return event;
                }
            },
            "message" => drop(self.bob.ask("send", message(OURS, "are you there?")).await),
            "receipt" => {
                self.alice.ask("send", message(OURS, "look")).await;
                self.bob.ask("mark_read", json!({"conversation_id": OURS, "server_msg_id": "17"})).await;
            }
            // Alice's edit, right before.
            "messages_changed" => {}
            "typing" => drop(self.bob.ask("typing", json!({"conversation_id": OURS})).await),
            // Alice's, right before.
            "signal" => return self.bob.event(name).await,
            "draining" | "close" => return self.told_at_the_end(name).await,
            _ => panic!("nobody knows why a server says `{name}`"),
        }
        self.alice.event(name).await
    }

    /// The refusal of a message to oneself, of a user who has asked for too much.
    async fn is_refused(&self) -> Value {
        let token = self.reader.run("anser token make dan");
        let (mut dan, welcome) = enter(&self.reader, token.trim(), json!({"device_id": "d-1"})).await;
        let id = welcome["user"]["user_id"].as_str().expect("an id");
        let notes = message(&format!("single_{id}_{id}"), "too much");
        let costly = json!({"request_id": 3, "get_users": {"accounts": vec!["alice"; 200]}});
        for _ in 0..1_000 {
            dan.say(&costly).await;
            let answer = dan.say(&json!({"request_id": 4, "send": notes})).await;
            if body(&answer) == "error" {
                return answer;
            }
        }
        panic!("nobody is refused");
    }

    async fn told_at_the_end(&mut self, name: &str) -> Value {
        if name == "draining" {
            self.reader.stop();
        }
        loop {
            let frame = take_json(&mut self.carol).await;
            if body(&frame) == name {
                return frame;
            }
        }
    }

    /// Frames over TCP, bytes as the page shows them: pings with request_id 7.
    async fn say_bytes(&mut self, block: &Block) {
        let bytes = block.text.split_whitespace().map(|hex| u8::from_str_radix(hex, 16).expect("hexadecimal"));
        let bytes: Vec<u8> = bytes.collect();
        let format = Format::sniff(&bytes[4..]);
        let token = self.reader.run("anser token make alice").trim().to_owned();
        let device = Some(Device { device_id: "bytes".into(), ..Device::default() });
        let hello = Hello { version: 1, credential: Some(Credential::Token(token)), device, ..Hello::default() };
        let hello = ClientFrame { request_id: 1, request: Some(Request::Hello(hello)) };
        let mut stream = TcpStream::connect(&self.reader.tcp).await.expect("it is there");
        put(&mut stream, &format.encode(&hello)).await;
        stream.write_all(&bytes).await.expect("it listens");
        let mut ids = Vec::new();
        while ids.len() < 2 {
            let frame: anser_proto::v1::ServerFrame = format.decode(&take(&mut stream).await.into()).expect("a frame");
            ids.extend((frame.request_id > 0).then_some(frame.request_id));
        }
        assert_eq!(ids, [1, 7], "{}", block.place);
    }
}

fn message(conversation_id: &str, content: &str) -> Value {
    json!({
        "conversation_id": conversation_id, "client_msg_id": format!("m-{}", content.replace(' ', "-")),
        "type": "TEXT", "content": content, "client_time_ms": "1149161530000",
    })
}

/// A connection that is logged in, and the id of its user.
async fn over_tcp(reader: &Reader, token: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(&reader.tcp).await.expect("it is there");
    let hello = json!({"request_id": 1, "hello": {"version": 1, "token": token, "device": {"device_id": "d-tcp"}}});
    put(&mut stream, hello.to_string().as_bytes()).await;
    let welcome = take_json(&mut stream).await;
    let id = welcome["welcome"]["user"]["user_id"].as_str().expect("welcome").to_owned();
    (stream, id)
}

async fn put(stream: &mut TcpStream, frame: &[u8]) {
    stream.write_u32(frame.len().try_into().expect("short")).await.expect("it listens");
    stream.write_all(frame).await.expect("it listens");
}

async fn take(stream: &mut TcpStream) -> Vec<u8> {
    let length = stream.read_u32().await.expect("a frame");
    let mut frame = vec![0; length as usize];
    stream.read_exact(&mut frame).await.expect("a whole frame");
    frame
}

async fn take_json(stream: &mut TcpStream) -> Value {
    serde_json::from_slice(&take(stream).await).expect("JSON")
}
