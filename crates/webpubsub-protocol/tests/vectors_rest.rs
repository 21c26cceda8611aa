//! The golden vectors of the REST API, which the JavaScript suites read too.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a vector file that cannot be read fails the test"
)]

use std::path::Path;

use serde_json::{Value, json};
use webpubsub_protocol::rest::{
    Charset, ClientType, ContentKind, Operation, Refusal, SendOptions, parse_content_type, refuse,
};

#[test]
fn every_request_line_is_the_operation_that_its_vector_says() {
    for vector in read("operations") {
        let (method, url) = (vector["method"].as_str().unwrap(), vector["url"].as_str().unwrap());
        let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        match Operation::parse(method, path, query) {
            Ok(operation) => assert_eq!(operation_said(&operation), vector["expected"], "{}", vector["name"]),
            Err(refusal) => {
                let expected = vector["expected"]["refused"].as_object();
                let expected = expected.unwrap_or_else(|| panic!("{}: {refusal}", vector["name"]));
                let said = refusal_said(&refusal, method);
                for (key, value) in expected {
                    assert_eq!(said[key], *value, "{}: {key}", vector["name"]);
                }
            }
        }
    }
}

#[test]
fn every_content_type_is_what_its_vector_says() {
    for vector in read("content-types") {
        let said = match parse_content_type(vector["contentType"].as_str()) {
            Ok(ContentKind::Binary) => json!({ "kind": "binary" }),
            Ok(ContentKind::Json) => json!({ "kind": "json" }),
            Ok(ContentKind::Text(Charset::Utf8)) => json!({ "kind": "text", "charset": "utf-8" }),
            Ok(ContentKind::Text(Charset::Label(label))) => json!({ "kind": "text", "charset": label }),
            Err(refusal) => json!({ "refused": refuse(&refusal, "POST").status }),
        };
        assert_eq!(said, vector["expected"], "{}", vector["name"]);
    }
}

fn operation_said(operation: &Operation) -> Value {
    let send = |name: &str, options: &SendOptions, to: (&str, &str)| {
        let excluded: Vec<_> = options.excluded.iter().map(|id| id.as_str()).collect();
        let ttl = options.ttl.as_seconds();
        let mut said = json!({ "operation": name, "excluded": excluded, "ttlSeconds": ttl });
        if !to.0.is_empty() {
            said[to.0] = to.1.into();
        }
        said
    };
    let mut said = match operation {
        Operation::Health => json!({ "operation": "health" }),
        Operation::GenerateToken { request, .. } => json!({
            "operation": "generateToken",
            "user": request.user_id.as_ref().map(|user| user.as_str()),
            "roles": request.roles,
            "groups": request.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(),
            "minutes": request.lifetime.as_secs() / 60,
            "clientType": match request.client_type { ClientType::Default => "Default", ClientType::Mqtt => "MQTT" },
        }),
        Operation::SendToAll { options, .. } => send("sendToAll", options, ("", "")),
        Operation::SendToGroup { group, options, .. } => {
            send("sendToGroup", options, ("group", group.as_str()))
        }
        Operation::SendToUser { user, options, .. } => send("sendToUser", options, ("user", user.as_str())),
        Operation::SendToConnection { connection, options, .. } => {
            send("sendToConnection", options, ("connection", connection.as_str()))
        }
        Operation::ConnectionExists { connection, .. } => {
            json!({ "operation": "connectionExists", "connection": connection.as_str() })
        }
        Operation::GroupExists { group, .. } => {
            json!({ "operation": "groupExists", "group": group.as_str() })
        }
        Operation::UserExists { user, .. } => json!({ "operation": "userExists", "user": user.as_str() }),
    };
    if let Some(hub) = operation.hub() {
        said["hub"] = hub.as_str().into();
    }
    said
}

fn refusal_said(refusal: &Refusal, method: &str) -> Value {
    // Answers to HEAD have no body; what it would say is the same for every method.
    let response = refuse(refusal, method);
    let mut said: Value = serde_json::from_str(&refuse(refusal, "POST").body).unwrap();
    said["status"] = response.status.into();
    said
}

fn read(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/rest").join(name);
    let text = std::fs::read_to_string(path.with_extension("json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["vectors"].as_array().unwrap().clone()
}
