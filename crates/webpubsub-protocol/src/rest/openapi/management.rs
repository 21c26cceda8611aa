//! What operators ask under `/management/`, as the document describes it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{filter, group_name, path_parameter, schema};

/// One operation.
struct Row {
    method: &'static str,
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    parameters: &'static [&'static str],
    /// The status of success.
    success: u16,
    /// What the answer's body is: the name of a schema, or none.
    answer: Option<&'static str>,
}

const fn get(path: &'static str, name: &'static str, summary: &'static str, answer: &'static str) -> Row {
    Row { method: "get", path, name, summary, parameters: &[], success: 200, answer: Some(answer) }
}

const HUB: &str = "/management/hubs/{hub}";

const TABLE: [Row; 22] = [
    get(
        "/management/overview",
        "Management_Overview",
        "Version, health, and the metrics of each hub.",
        "Overview",
    ),
    Row {
        parameters: &["reveal"],
        ..get("/management/keys", "Management_Keys", "Which access keys there are.", "Keys")
    },
    Row {
        method: "post",
        ..get(
            "/management/keys/:rotate",
            "Management_RotateKeys",
            "Makes the primary access key the secondary one, and a new key the primary. Nothing that the primary key signed ends.",
            "Keys",
        )
    },
    Row {
        method: "post",
        ..get(
            "/management/keys/primary/:regenerate",
            "Management_RegeneratePrimaryKey",
            "Replaces the primary access key. What it signed ends.",
            "Keys",
        )
    },
    Row {
        method: "post",
        ..get(
            "/management/keys/secondary/:regenerate",
            "Management_RegenerateSecondaryKey",
            "Replaces the secondary access key, or makes one. What it signed ends.",
            "Keys",
        )
    },
    get("/management/metrics", "Management_Metrics", "Metrics in Prometheus' text format.", "Text"),
    get(
        "/management/metrics/history",
        "Management_MetricsHistory",
        "The metrics of each hub and shard in each minute of the last hour.",
        "MetricsHistory",
    ),
    get("/management/hubs", "Management_Hubs", "The names of all hubs that were ever used.", "Anything"),
    Row {
        method: "post",
        success: 204,
        answer: None,
        ..get(
            "/management/sockets/:close",
            "Management_CloseSockets",
            "Closes every socket of every hub.",
            "",
        )
    },
    Row {
        parameters: &[],
        ..get(
            "/management/session",
            "Management_Session",
            "Whether the caller is signed in. Needs no token.",
            "Session",
        )
    },
    Row {
        method: "post",
        success: 204,
        answer: None,
        ..get(
            "/management/session",
            "Management_SignIn",
            "Signs in, with a secret or a ticket. Needs no token.",
            "",
        )
    },
    Row {
        method: "delete",
        success: 204,
        answer: None,
        ..get("/management/session", "Management_SignOut", "Signs out. Needs no token.", "")
    },
    get(HUB, "Management_Settings", "The settings of a hub.", "Anything"),
    Row {
        method: "put",
        ..get(HUB, "Management_ChangeSettings", "Changes the settings of a hub.", "Anything")
    },
    Row {
        method: "delete",
        success: 204,
        answer: None,
        ..get(HUB, "Management_DeleteSettings", "Goes back to the settings of the configuration.", "")
    },
    Row {
        parameters: &["top", "userId", "group", "connectionIdPrefix", "filter", "continuationToken"],
        ..get(
            "/management/hubs/{hub}/connections",
            "Management_Connections",
            "The connections of a hub, a page at a time.",
            "Connections",
        )
    },
    get(
        "/management/hubs/{hub}/connections/{connectionId}",
        "Management_Connection",
        "One connection, with its permissions.",
        "Connection",
    ),
    Row {
        parameters: &["top", "prefix", "continuationToken"],
        ..get(
            "/management/hubs/{hub}/groups",
            "Management_Groups",
            "The groups of a hub that have members, a page at a time.",
            "GroupList",
        )
    },
    Row {
        parameters: &["shard", "connectionId", "userId", "group", "payloads", "access_token"],
        success: 101,
        answer: None,
        ..get(
            "/management/hubs/{hub}/trace",
            "Management_Trace",
            "What a shard does, as it happens: a WebSocket.",
            "",
        )
    },
    get("/management/hubs/{hub}/shards", "Management_Shards", "The shards of a hub.", "Anything"),
    get(
        "/management/hubs/{hub}/deliveries",
        "Management_Deliveries",
        "The last attempts at delivering events.",
        "Anything",
    ),
    Row {
        method: "post",
        ..get(
            "/management/hubs/{hub}/eventHandlers/{index}/:test",
            "Management_TestEventHandler",
            "Sends an event handler a sample, and says how it went.",
            "Anything",
        )
    },
];

/// Adds the operations to the paths of the document.
pub(super) fn add_to(paths: &mut BTreeMap<&str, Map<String, Value>>) {
    for row in &TABLE {
        paths.entry(row.path).or_default().insert(row.method.to_owned(), operation(row));
    }
}

/// The schemas that only these operations have.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let text = || json!({ "type": "string" });
    let text_or_null = || json!({ "type": "string", "nullable": true });
    let flag = || json!({ "type": "boolean" });
    let number = || json!({ "type": "integer", "minimum": 0 });
    let time = || json!({ "type": "integer", "minimum": 0, "nullable": true });
    let texts = || json!({ "type": "array", "items": text() });
    let connection = json!({
        "connectionId": text(), "userId": text_or_null(), "shard": number(), "subprotocol": text_or_null(),
        "connectedAt": time(), "isAttached": flag(), "groups": texts(), "groupCount": number(),
        "unacknowledged": number(), "unreadBytes": number(),
        "unacknowledgedBytes": number(), "waitingFrames": number(), "streams": number(),
        "permissions": {
            "type": "object",
            "properties": { "sendToGroup": schema("Permission"), "joinLeaveGroup": schema("Permission") },
        },
    });
    let group = json!({ "group": text(), "connections": number() });
    let hub = json!({
        "hub": text(), "shards": number(), "silentShards": number(),
        "metrics": { "type": "object", "additionalProperties": number() },
    });
    let key = json!({
        "type": "object", "nullable": true, "properties": { "start": text(), "key": text() },
    });
    let list = |properties: &Value| json!({ "type": "array", "items": object(properties) });
    let connections = json!({
        "connections": { "type": "array", "items": schema("Connection") }, "continuationToken": text_or_null(),
    });
    let groups = json!({ "groups": list(&group), "continuationToken": text_or_null() });
    let overview = json!({ "version": text(), "time": number(), "isHealthy": flag(), "hubs": list(&hub) });
    let numbers = json!({ "type": "array", "maxItems": 60, "items": number() });
    let minutes = json!({
        "type": "object",
        "nullable": true,
        "properties": {
            "minutes": { "type": "integer", "minimum": 0, "maximum": 60 },
            "metrics": { "type": "object", "additionalProperties": numbers },
        },
    });
    let of_hub = json!({ "hub": text(), "total": minutes, "shards": { "type": "array", "items": minutes } });
    let history = json!({ "time": number(), "hubs": list(&of_hub) });
    let permission = json!({ "all": flag(), "patterns": texts(), "allowed": texts(), "denied": texts() });
    let sign_in = json!({ "secret": text(), "ticket": text() });
    let session = json!({ "isAvailable": flag(), "isSignedIn": flag(), "expires": time() });
    vec![
        ("Connection", object(&connection)),
        ("Connections", object(&connections)),
        ("GroupList", object(&groups)),
        ("MetricsHistory", object(&history)),
        ("Overview", object(&overview)),
        ("Permission", object(&permission)),
        ("Keys", object(&json!({ "primary": key, "secondary": key }))),
        ("Session", object(&session)),
        ("SignIn", object(&sign_in)),
        ("Settings", json!({ "type": "object" })),
    ]
}

fn object(properties: &Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

fn operation(row: &Row) -> Value {
    let names = row.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = names.map(path_parameter).collect();
    parameters.extend(row.parameters.iter().map(|name| query_parameter(name)));
    let mut success = Map::new();
    let description = match row.success {
        101 => "The socket.",
        204 => "It is done.",
        _ => "Success.",
    };
    success.insert("description".to_owned(), description.into());
    let content = match row.answer {
        Some("Text") => Some(("text/plain", json!({ "type": "string" }))),
        Some("Anything") => Some(("application/json", json!({ "type": "object" }))),
        Some(name) => Some(("application/json", schema(name))),
        None => None,
    };
    if let Some((media_type, schema)) = content {
        success.insert("content".to_owned(), json!({ media_type: { "schema": schema } }));
    }
    let mut responses = Map::new();
    responses.insert(row.success.to_string(), success.into());
    responses.insert("401".to_owned(), json!({ "$ref": "#/components/responses/Unauthorized" }));
    if !row.parameters.is_empty() || row.path.contains('{') || row.method == "put" {
        responses.insert("400".to_owned(), json!({ "$ref": "#/components/responses/Error" }));
    }
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), row.name.into());
    operation.insert("summary".to_owned(), row.summary.into());
    operation.insert("tags".to_owned(), json!(["management"]));
    operation.insert("parameters".to_owned(), parameters.into());
    operation.insert("responses".to_owned(), responses.into());
    let body = match (row.method, row.path) {
        ("put", _) => Some("Settings"),
        ("post", "/management/session") => Some("SignIn"),
        _ => None,
    };
    if let Some(name) = body {
        let content = json!({ "application/json": { "schema": schema(name) } });
        operation.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    if row.path == "/management/session" {
        operation.insert("security".to_owned(), json!([]));
    }
    operation.into()
}

fn query_parameter(name: &str) -> Value {
    let text = || json!({ "type": "string" });
    let flag = || json!({ "type": "string", "enum": ["0", "1"] });
    let (description, schema) = match name {
        "top" => (
            "How many there may be on the page.",
            json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 100 }),
        ),
        "userId" => ("Only what concerns this user.", text()),
        "connectionId" => ("Only what concerns this connection.", text()),
        "group" => ("Only what concerns this group.", group_name()),
        "connectionIdPrefix" => ("Only connections with an id that begins so.", text()),
        "prefix" => ("Only groups with a name that begins so.", text()),
        "filter" => ("Only connections that match this OData filter.", filter()),
        "shard" => (
            "Which shard, counted from 0.",
            json!({ "type": "integer", "minimum": 0, "maximum": 65535, "default": 0 }),
        ),
        "payloads" => ("Whether payloads are shown.", flag()),
        "access_token" => ("A token, of a WebSocket's handshake that has no header `Authorization`.", text()),
        "reveal" => ("Whether the keys are in the answer.", flag()),
        _ => ("Where the last page ended.", text()),
    };
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}
