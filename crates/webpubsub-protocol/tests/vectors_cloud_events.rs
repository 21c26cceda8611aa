//! The golden vectors of event handlers' requests and answers, which were made without this crate.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a vector file that cannot be read fails the test")]

#[path = "support/vectors.rs"]
mod vectors;

use serde_json::{Value, json};
use vectors::{bytes, hex};
use webpubsub_protocol::client::protobuf::any;
use webpubsub_protocol::data::{JsonText, MessageData, Metadata};
use webpubsub_protocol::event_handler::connect::{ConnectAnswer, ConnectBody};
use webpubsub_protocol::event_handler::{
    AnswerUse, CallFailure, Cookies, Event, EventRequest, HandlerAnswer, MqttRequest, Physical, Subject,
    Taken, UrlTemplate, is_public, validation,
};
use webpubsub_protocol::name::{ConnectionId, EventName, GroupName, HubName, UserId};
use webpubsub_protocol::time::Timestamp;

#[test]
fn every_event_is_the_request_that_its_vector_says() {
    for vector in read("requests") {
        let connection = &vector["connection"];
        let time = Timestamp::from_millis(vector["time"].as_u64().unwrap());
        let url = text(&vector["url"]).unwrap();
        let mut cookies = Cookies::default();
        cookies.take(time, &url, &texts(&connection["setCookie"]));
        let subject = Subject {
            connection: ConnectionId::parse(text(&connection["id"]).unwrap()).unwrap(),
            user: text(&connection["user"]).map(|user| UserId::parse(user).unwrap()),
            subprotocol: text(&connection["subprotocol"]),
            origin: text(&connection["origin"]).unwrap(),
            state: text(&connection["state"]),
            cookies,
            mqtt: text(&connection["physical"])
                .map(|id| Physical { connection: id, session: text(&connection["session"]) }),
        };
        let hub = HubName::parse(vector["hub"].as_str().unwrap()).unwrap();
        let number = vector["number"].as_u64().unwrap();
        let request = EventRequest::new(&hub, &subject, &event(&vector["event"]), number, time, &url);
        let is_hex = matches!(vector["event"]["dataType"].as_str(), Some("binary" | "protobuf"));
        let body = if is_hex { hex(&request.body) } else { String::from_utf8(request.body).unwrap() };
        let said = json!({ "headers": request.headers, "body": body });
        assert_eq!(said, vector["expected"], "{}", vector["name"]);
        assert!(request.headers.iter().all(|(_, value)| !value.contains(['\r', '\n', '\0'])));
    }
}

#[test]
fn an_event_has_one_request_id_for_all_its_attempts() {
    let id_of = |number: u64, connection: &str, mqtt| {
        let subject = Subject {
            connection: ConnectionId::parse(connection).unwrap(),
            user: None,
            subprotocol: None,
            origin: String::new(),
            state: None,
            cookies: Cookies::default(),
            mqtt,
        };
        let (hub, time) = (HubName::parse("h").unwrap(), Timestamp::default());
        let request = EventRequest::new(&hub, &subject, &Event::Connected, number, time, "");
        let mut headers = request.headers.into_iter();
        headers.find_map(|(name, value)| (name == "x-ms-client-request-id").then_some(value)).unwrap()
    };
    let id = |number, connection| id_of(number, connection, None);
    assert_eq!(id(1, "AQACAAECAwQFBgcICQoLDA0ODw"), id(1, "AQACAAECAwQFBgcICQoLDA0ODw"));
    assert_ne!(id(1, "AQACAAECAwQFBgcICQoLDA0ODw"), id(2, "AQACAAECAwQFBgcICQoLDA0ODw"));
    assert_ne!(id(1, "AQACAAECAwQFBgcICQoLDA0ODw"), id(1, "AQACAAECAwQFBgcICQoLDA0ODx"));
    assert_ne!(id(1, "AQACAAECAwQFBgcICQoLDA0ODw"), id(1, "AQADAAECAwQFBgcICQoLDA0ODw"));
    let device = |connection: &str, session: Option<&str>| {
        let mqtt = Physical { connection: connection.into(), session: session.map(str::to_owned) };
        id_of(1, "device1", Some(mqtt))
    };
    assert_eq!(device("c", Some("s")), device("d", Some("s")), "one session over two sockets");
    assert_ne!(device("c", Some("s")), device("c", Some("t")), "the next session of a client");
    assert_ne!(device("c", None), device("d", None), "two clients that ask for one session");
}

#[test]
fn the_body_of_connect_is_what_its_vector_says() {
    for vector in read("connect-bodies") {
        let claims: Vec<(String, Vec<String>)> = serde_json::from_value(vector["claims"].clone()).unwrap();
        let headers: Vec<(String, String)> = serde_json::from_value(vector["headers"].clone()).unwrap();
        let (query, offer) = (vector["query"].as_str(), vector["offer"].as_str());
        let body = ConnectBody { claims: &claims, query, headers: &headers, offer };
        assert_eq!(body.encode(), vector["expected"].as_str().unwrap(), "{}", vector["name"]);
    }
}

#[test]
fn every_answer_to_connect_says_what_its_vector_says() {
    for vector in read("connect-answers") {
        let said = match ConnectAnswer::parse(&answer(&vector)) {
            Err(failure) => json!({ "refused": failure.name() }),
            Ok(answer) => {
                let mut said = json!({});
                if let Some(user) = &answer.user {
                    said["userId"] = json!(user.as_ref().map(UserId::as_str));
                }
                if let Some(groups) = &answer.groups {
                    said["groups"] = groups.iter().map(GroupName::as_str).collect();
                }
                if let Some(roles) = answer.roles {
                    said["roles"] = json!(roles);
                }
                if let Some(subprotocol) = answer.subprotocol {
                    said["subprotocol"] = json!(subprotocol);
                }
                said
            }
        };
        assert_eq!(said, vector["expected"], "{}", vector["name"]);
    }
}

#[test]
fn every_answer_gives_the_client_what_its_vector_says() {
    for vector in read("replies") {
        let said = match answer(&vector).taken(AnswerUse::Reply) {
            Err(failure) => json!({ "failure": name(failure) }),
            Ok(Taken { reply, .. }) => json!({
                "dataType": reply.data.as_ref().map(|data| data.data_type().as_str()),
                "data": reply.data.as_ref().map(payload),
                "metadata": reply.metadata.iter().collect::<Vec<_>>(),
            }),
        };
        assert_eq!(said, vector["expected"], "{}", vector["name"]);
    }
}

#[test]
fn a_handshake_allows_whom_its_vector_says() {
    for vector in read("allowed-origins") {
        let status = u16::try_from(vector["status"].as_u64().unwrap()).unwrap();
        let origin = vector["origin"].as_str().unwrap();
        let said = match validation::check(status, &texts(&vector["allowed"]), origin) {
            Ok(()) => json!(true),
            Err(failure) => json!(name(failure)),
        };
        assert_eq!(said, vector["expected"], "{}", vector["name"]);
    }
}

#[test]
fn every_url_is_judged_as_its_vector_says() {
    for vector in read("urls") {
        let url = vector["input"].as_str().unwrap();
        let said = match UrlTemplate::parse(url) {
            Err(error) => {
                assert!(!is_public(url) || url.len() > 2048, "{url}");
                json!({ "refused": format!("{error:?}") })
            }
            Ok(template) => {
                let resolved = template.resolve(&HubName::parse("chat").unwrap(), "a.b");
                assert_eq!(is_public(&resolved), template.is_public(), "{url}");
                json!({ "public": template.is_public() })
            }
        };
        assert_eq!(said, vector["expected"], "{url}");
    }
}

#[test]
fn the_answer_to_what_only_happens_is_of_no_consequence() {
    let answer = HandlerAnswer {
        status: 200,
        content_type: Some("text/html".into()),
        state: Some("x".repeat(20_000)),
        cookies: vec!["a=1".into()],
        ..HandlerAnswer::default()
    };
    let taken = Taken { cookies: vec!["a=1".into()], ..Taken::default() };
    assert_eq!(answer.clone().taken(AnswerUse::Nothing), Ok(taken));
    let refused = HandlerAnswer { status: 404, ..answer };
    assert_eq!(refused.taken(AnswerUse::Nothing), Err(CallFailure::Status(404)));
}

/// With the status, where it is one.
fn name(failure: CallFailure) -> String {
    if let CallFailure::Status(status) = failure {
        return format!("Status {status}");
    }
    failure.name().to_owned()
}

fn read(file: &str) -> Vec<Value> {
    vectors::read("cloud-events", file)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|value| text(value).unwrap()).collect()
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    if value.is_null() { Vec::new() } else { serde_json::from_value(value.clone()).unwrap() }
}

fn answer(vector: &Value) -> HandlerAnswer {
    HandlerAnswer {
        status: u16::try_from(vector["status"].as_u64().unwrap()).unwrap(),
        content_type: text(&vector["contentType"]),
        allowed_origin: None,
        state: text(&vector["state"]),
        cookies: Vec::new(),
        metadata: pairs(&vector["metadata"]),
        mqtt: Vec::new(),
        body: match vector["hex"].as_str() {
            Some(hex) => bytes(hex),
            None => text(&vector["body"]).unwrap_or_default().into_bytes(),
        },
    }
}

fn event(event: &Value) -> Event {
    let text = |name: &str| text(&event[name]).unwrap();
    let group = || GroupName::parse(text("group")).unwrap();
    match event["kind"].as_str().unwrap() {
        "connect" => Event::Connect { body: text("body") },
        "connected" => Event::Connected,
        "disconnected" => Event::Disconnected { reason: text("reason") },
        "joined" => Event::Joined { group: group() },
        "left" => Event::Left { group: group() },
        "user" => Event::User {
            name: EventName::parse(text("name")).unwrap(),
            data: match event["dataType"].as_str().unwrap() {
                "text" => MessageData::Text(text("data")),
                "json" => MessageData::Json(JsonText::parse(text("data")).unwrap()),
                "binary" => MessageData::Binary(bytes(&text("data"))),
                "protobuf" => any(bytes(&text("data"))).unwrap(),
                other => panic!("{other}"),
            },
            metadata: Metadata::parse(pairs(&event["metadata"])).unwrap(),
        },
        "mqttConnect" => Event::MqttConnect { body: text("body") },
        "mqttDisconnected" => Event::MqttDisconnected { body: text("body") },
        "mqttUser" => {
            let name = EventName::parse(text("name")).unwrap();
            let content_type = event["contentType"].as_str();
            let request =
                MqttRequest::new(name, bytes(&text("data")), content_type, pairs(&event["userProperties"]));
            Event::MqttUser(Box::new(request.unwrap()))
        }
        other => panic!("{other}"),
    }
}

fn payload(data: &MessageData) -> String {
    match data {
        MessageData::Text(text) => text.clone(),
        MessageData::Json(json) => json.as_str().to_owned(),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => hex(bytes),
    }
}
