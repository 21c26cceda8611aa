//! The golden vectors of the REST API, which the JavaScript suites read too.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a vector file that cannot be read fails the test"
)]

use std::path::Path;

use serde_json::{Value, json};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::rest::{
    Charset, ClientType, CloseOptions, ContentKind, GroupsRequest, Operation, Refusal, SendOptions,
    groups_body, parse_content_type, refuse,
};
use webpubsub_protocol::role::PermissionType;

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
            Ok(ContentKind::Json(Charset::Utf8)) => json!({ "kind": "json", "charset": "utf-8" }),
            Ok(ContentKind::Json(Charset::Label(label))) => json!({ "kind": "json", "charset": label }),
            Ok(ContentKind::Text(Charset::Utf8)) => json!({ "kind": "text", "charset": "utf-8" }),
            Ok(ContentKind::Text(Charset::Label(label))) => json!({ "kind": "text", "charset": label }),
            Err(refusal) => json!({ "refused": refuse(&refusal, "POST").status }),
        };
        assert_eq!(said, vector["expected"], "{}", vector["name"]);
    }
}

#[test]
fn every_body_of_a_bulk_operation_is_what_its_vector_says() {
    for vector in read("group-bodies") {
        let body = vector["body"].as_str().unwrap();
        let said = match groups_of(vector["contentType"].as_str(), body) {
            Ok(request) => json!({
                "groups": request.groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "filtered": request.filter.is_some(),
            }),
            Err(refusal) => {
                let mut said = refusal_said(&refusal, "POST");
                let expected = vector["expected"]["refused"].as_object();
                let expected = expected.unwrap_or_else(|| panic!("{}: {refusal}", vector["name"]));
                said.as_object_mut().unwrap().retain(|key, _| expected.contains_key(key));
                json!({ "refused": said })
            }
        };
        assert_eq!(said, vector["expected"], "{}", vector["name"]);
    }
}

/// What the body of a bulk operation says, where `latin1` is the one charset that is known beside UTF-8.
fn groups_of(content_type: Option<&str>, body: impl AsRef<[u8]>) -> Result<GroupsRequest, Refusal> {
    let latin1 = |text: &[u8]| text.iter().map(|byte| char::from(*byte)).collect();
    groups_body(content_type, body.as_ref().to_vec(), &|label, text| {
        (label == "latin1").then(|| latin1(text))
    })
}

#[test]
fn a_body_of_a_bulk_operation_is_at_most_one_mebibyte_of_text() {
    let json = Some("application/json");
    let body = br#"{"groups":["a"]}"#;
    let padded = |length: usize| [body.to_vec(), vec![b' '; length - body.len()]].concat();
    assert!(groups_of(json, padded(1_048_576)).is_ok());
    assert_eq!(groups_of(json, padded(1_048_577)), Err(Refusal::TooLong));
    assert_eq!(groups_of(json, b"{\"groups\":[\"\xff\"]}"), Err(Refusal::NotJson));
    let latin1 = groups_of(Some("application/json; charset=latin1"), b"{\"groups\":[\"\xff\"]}").unwrap();
    assert_eq!(latin1.groups, [GroupName::parse("ÿ").unwrap()]);
    let deep = format!(r#"{{"x":{}{},"groups":["a"]}}"#, "[".repeat(200_000), "]".repeat(200_000));
    assert!(groups_of(json, deep).is_ok());
}

fn operation_said(operation: &Operation) -> Value {
    let ids = |ids: &[ConnectionId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let send = |name: &str, options: &SendOptions| {
        json!({
            "operation": name,
            "excluded": ids(&options.excluded),
            "filtered": options.filter.is_some(),
            "ttlSeconds": options.ttl.as_seconds(),
        })
    };
    let close = |name: &str, options: &CloseOptions| json!({ "operation": name, "excluded": ids(&options.excluded), "reason": options.reason });
    let permission = |name: &str, permission: &PermissionType| json!({ "operation": name, "permission": permission.as_str() });
    let mut said = match operation {
        Operation::Health => json!({ "operation": "health" }),
        Operation::OpenApi => json!({ "operation": "openApi" }),
        Operation::GenerateToken { request, .. } => json!({
            "operation": "generateToken",
            "user": request.user_id.as_ref().map(|user| user.as_str()),
            "roles": request.roles,
            "groups": request.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(),
            "minutes": request.lifetime.as_secs() / 60,
            "clientType": match request.client_type { ClientType::Default => "Default", ClientType::Mqtt => "MQTT" },
        }),
        Operation::SendToAll { options, .. } => send("sendToAll", options),
        Operation::SendToGroup { options, .. } => send("sendToGroup", options),
        Operation::SendToUser { options, .. } => send("sendToUser", options),
        Operation::SendToConnection { options, .. } => send("sendToConnection", options),
        Operation::CloseAll { options, .. } => close("closeAll", options),
        Operation::CloseGroup { options, .. } => close("closeGroup", options),
        Operation::CloseUser { options, .. } => close("closeUser", options),
        Operation::CloseConnection { reason, .. } => {
            json!({ "operation": "closeConnection", "reason": reason })
        }
        Operation::AddToGroups { .. } => json!({ "operation": "addToGroups" }),
        Operation::RemoveFromGroups { .. } => json!({ "operation": "removeFromGroups" }),
        Operation::ConnectionExists { .. } => json!({ "operation": "connectionExists" }),
        Operation::GroupExists { .. } => json!({ "operation": "groupExists" }),
        Operation::UserExists { .. } => json!({ "operation": "userExists" }),
        Operation::AddConnectionToGroup { .. } => json!({ "operation": "addConnectionToGroup" }),
        Operation::RemoveConnectionFromGroup { .. } => json!({ "operation": "removeConnectionFromGroup" }),
        Operation::RemoveConnectionFromAllGroups { .. } => {
            json!({ "operation": "removeConnectionFromAllGroups" })
        }
        Operation::AddUserToGroup { .. } => json!({ "operation": "addUserToGroup" }),
        Operation::RemoveUserFromGroup { .. } => json!({ "operation": "removeUserFromGroup" }),
        Operation::RemoveUserFromAllGroups { .. } => json!({ "operation": "removeUserFromAllGroups" }),
        Operation::ListMembers { page, .. } => json!({
            "operation": "listMembers",
            "maxPageSize": page.max_page_size,
            "top": page.top,
            "continuationToken": page.continuation_token,
        }),
        Operation::GrantPermission { permission: kind, .. } => permission("grantPermission", kind),
        Operation::CheckPermission { permission: kind, .. } => permission("checkPermission", kind),
        Operation::RevokePermission { permission: kind, .. } => permission("revokePermission", kind),
    };
    let (group, user, connection) = names(operation);
    let names = [
        ("hub", operation.hub().map(ToString::to_string)),
        ("group", group.map(ToString::to_string)),
        ("user", user.map(ToString::to_string)),
        ("connection", connection.map(ToString::to_string)),
    ];
    for (key, name) in names.into_iter().filter(|(_, name)| name.is_some()) {
        said[key] = name.into();
    }
    said
}

/// What an operation is about, its hub apart.
fn names(operation: &Operation) -> (Option<&GroupName>, Option<&UserId>, Option<&ConnectionId>) {
    match operation {
        Operation::Health
        | Operation::OpenApi
        | Operation::GenerateToken { .. }
        | Operation::SendToAll { .. }
        | Operation::CloseAll { .. }
        | Operation::AddToGroups { .. }
        | Operation::RemoveFromGroups { .. } => (None, None, None),
        Operation::SendToGroup { group, .. }
        | Operation::CloseGroup { group, .. }
        | Operation::GroupExists { group, .. }
        | Operation::ListMembers { group, .. } => (Some(group), None, None),
        Operation::SendToUser { user, .. }
        | Operation::CloseUser { user, .. }
        | Operation::UserExists { user, .. }
        | Operation::RemoveUserFromAllGroups { user, .. } => (None, Some(user), None),
        Operation::SendToConnection { connection, .. }
        | Operation::CloseConnection { connection, .. }
        | Operation::ConnectionExists { connection, .. }
        | Operation::RemoveConnectionFromAllGroups { connection, .. } => (None, None, Some(connection)),
        Operation::AddUserToGroup { user, group, .. }
        | Operation::RemoveUserFromGroup { user, group, .. } => (Some(group), Some(user), None),
        Operation::AddConnectionToGroup { group, connection, .. }
        | Operation::RemoveConnectionFromGroup { group, connection, .. }
        | Operation::GrantPermission { group, connection, .. }
        | Operation::CheckPermission { group, connection, .. }
        | Operation::RevokePermission { group, connection, .. } => (Some(group), None, Some(connection)),
    }
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
