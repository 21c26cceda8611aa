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
    Charset, ClientType, CloseOptions, ContentKind, GroupsRequest, HubOperation, Operation, Refusal,
    SendOptions, groups_body, parse_content_type, refuse,
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
    let (hub, mut said) = match operation {
        Operation::Health => return json!({ "operation": "health" }),
        Operation::OpenApi => return json!({ "operation": "openApi" }),
        Operation::GenerateToken { hub, request } => (
            hub,
            json!({
                "operation": "generateToken",
                "user": request.user_id.as_ref().map(|user| user.as_str()),
                "roles": request.roles,
                "groups": request.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(),
                "minutes": request.lifetime.as_secs() / 60,
                "clientType": match request.client_type { ClientType::Default => "Default", ClientType::Mqtt => "MQTT" },
            }),
        ),
        Operation::OfHub(hub, operation) => (hub, hub_operation_said(operation)),
    };
    said["hub"] = hub.as_str().into();
    said
}

fn hub_operation_said(operation: &HubOperation) -> Value {
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
        HubOperation::SendToAll(options) => send("sendToAll", options),
        HubOperation::SendToGroup { options, .. } => send("sendToGroup", options),
        HubOperation::SendToUser { options, .. } => send("sendToUser", options),
        HubOperation::SendToConnection { options, .. } => send("sendToConnection", options),
        HubOperation::CloseAll(options) => close("closeAll", options),
        HubOperation::CloseGroup { options, .. } => close("closeGroup", options),
        HubOperation::CloseUser { options, .. } => close("closeUser", options),
        HubOperation::CloseConnection { reason, .. } => {
            json!({ "operation": "closeConnection", "reason": reason })
        }
        HubOperation::AddToGroups => json!({ "operation": "addToGroups" }),
        HubOperation::RemoveFromGroups => json!({ "operation": "removeFromGroups" }),
        HubOperation::ConnectionExists(_) => json!({ "operation": "connectionExists" }),
        HubOperation::GroupExists(_) => json!({ "operation": "groupExists" }),
        HubOperation::UserExists(_) => json!({ "operation": "userExists" }),
        HubOperation::AddConnectionToGroup { .. } => json!({ "operation": "addConnectionToGroup" }),
        HubOperation::RemoveConnectionFromGroup { .. } => json!({ "operation": "removeConnectionFromGroup" }),
        HubOperation::RemoveConnectionFromAllGroups(_) => {
            json!({ "operation": "removeConnectionFromAllGroups" })
        }
        HubOperation::AddUserToGroup { .. } => json!({ "operation": "addUserToGroup" }),
        HubOperation::RemoveUserFromGroup { .. } => json!({ "operation": "removeUserFromGroup" }),
        HubOperation::RemoveUserFromAllGroups(_) => json!({ "operation": "removeUserFromAllGroups" }),
        HubOperation::ListMembers { page, .. } => json!({
            "operation": "listMembers",
            "maxPageSize": page.max_page_size,
            "top": page.top,
            "continuationToken": page.continuation_token,
        }),
        HubOperation::GrantPermission { permission: kind, .. } => permission("grantPermission", kind),
        HubOperation::CheckPermission { permission: kind, .. } => permission("checkPermission", kind),
        HubOperation::RevokePermission { permission: kind, .. } => permission("revokePermission", kind),
    };
    let (group, user, connection) = names(operation);
    let names = [
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
fn names(operation: &HubOperation) -> (Option<&GroupName>, Option<&UserId>, Option<&ConnectionId>) {
    match operation {
        HubOperation::SendToAll(_)
        | HubOperation::CloseAll(_)
        | HubOperation::AddToGroups
        | HubOperation::RemoveFromGroups => (None, None, None),
        HubOperation::SendToGroup { group, .. }
        | HubOperation::CloseGroup { group, .. }
        | HubOperation::GroupExists(group)
        | HubOperation::ListMembers { group, .. } => (Some(group), None, None),
        HubOperation::SendToUser { user, .. }
        | HubOperation::CloseUser { user, .. }
        | HubOperation::UserExists(user)
        | HubOperation::RemoveUserFromAllGroups(user) => (None, Some(user), None),
        HubOperation::SendToConnection { connection, .. }
        | HubOperation::CloseConnection { connection, .. }
        | HubOperation::ConnectionExists(connection)
        | HubOperation::RemoveConnectionFromAllGroups(connection) => (None, None, Some(connection)),
        HubOperation::AddUserToGroup { user, group, .. }
        | HubOperation::RemoveUserFromGroup { user, group, .. } => (Some(group), Some(user), None),
        HubOperation::AddConnectionToGroup { group, connection, .. }
        | HubOperation::RemoveConnectionFromGroup { group, connection, .. }
        | HubOperation::GrantPermission { group, connection, .. }
        | HubOperation::CheckPermission { group, connection, .. }
        | HubOperation::RevokePermission { group, connection, .. } => (Some(group), None, Some(connection)),
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
