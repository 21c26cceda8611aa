//! What operators ask for.

use std::collections::BTreeMap;

use webpubsub_auth::sign;
use webpubsub_protocol::rest::Refusal;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::gateway::{Answer, Gateway, Incoming};
use webpubsub_shard::ShardId;

use crate::host::{ANONYMOUS, HANDLER, ScriptedHost, now_or_never};

#[test]
fn an_operator_reads_and_changes_settings() {
    let host = ScriptedHost { body: Ok(ANONYMOUS), ..ScriptedHost::new(2, None) };
    assert_eq!(host.response("GET", "/management/hubs").1, r#"{"hubs":["chat","news"]}"#);
    assert_eq!(host.response("PUT", "/management/hubs/chat").0, 200);
    // The view is asked for each time, and not as it is cached.
    assert_eq!(host.done.take(), ["/hubs of *", "/view of chat", "/settings of chat"]);
    assert_eq!(host.response("DELETE", "/management/hubs/chat").0, 204);
    assert_eq!(host.done.take(), ["/view of chat", "/settings of chat"]);
    assert_eq!(host.response("GET", "/management/nothing").0, 404);
    let host = ScriptedHost { body: Ok("[]"), ..ScriptedHost::new(2, None) };
    assert_eq!(host.response("PUT", "/management/hubs/chat").0, 400);
    let host = ScriptedHost { body: Err(Refusal::TooLong), ..ScriptedHost::new(2, None) };
    assert_eq!(host.response("PUT", "/management/hubs/chat").0, 413);
}

#[test]
fn a_directory_says_what_became_of_events() {
    let path = "/management/hubs/chat/deliveries";
    let host = ScriptedHost::new(2, None);
    assert_eq!(host.response("GET", path), (200, r#"{"deliveries":[]}"#.to_owned()));
    assert_eq!(host.done.take(), ["/view of chat", "/deliveries of chat"]);
    let host = ScriptedHost { takes: false, ..host };
    assert_eq!(host.response("GET", path).0, 500);
}

#[test]
fn settings_that_a_shard_did_not_take_are_a_failure() {
    let host = ScriptedHost { body: Ok(ANONYMOUS), takes: false, ..ScriptedHost::new(2, None) };
    assert_eq!(host.response("PUT", "/management/hubs/chat").0, 500);
    let error = "error: an operator's request: not every shard took the settings yet";
    assert_eq!(host.done.borrow().last().unwrap(), error);
    assert_eq!(host.response("POST", "/management/sockets/:close").0, 500);
}

#[test]
fn sockets_of_all_hubs_are_closed_and_metrics_joined() {
    let host = ScriptedHost::new(2, None);
    assert_eq!(host.response("POST", "/management/sockets/:close").0, 204);
    assert_eq!(host.done.take(), ["/hubs of *", "/goAway of chat news"]);
    let (status, metrics) = host.response("GET", "/management/metrics");
    assert_eq!(status, 200);
    assert!(metrics.contains(r#"{hub="news",shard="0"} 8"#), "{metrics}");
    assert!(!metrics.contains(r#"shard="1""#), "a shard that failed: {metrics}");
}

/// What a shard knows of two minutes.
const HISTORY: &str = "2\n0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2,1";

#[test]
fn the_history_of_metrics_has_every_hub() {
    let host = ScriptedHost { hubs: "chat", ..ScriptedHost::new(2, None) };
    host.texts.borrow_mut().extend([HISTORY]);
    let (status, history) = host.response("GET", "/management/metrics/history");
    assert_eq!(status, 200);
    let total = r#""total":{"minutes":2,"metrics":{"webpubsub_connections":[4,2]}}"#;
    assert!(history.contains(&format!(r#"{{"hub":"chat",{total},"shards":[{{"#)), "{history}");
    assert!(history.starts_with(&format!(r#"{{"time":{},"#, host.now.get().as_millis())), "{history}");
    assert_eq!(host.done.take(), ["/hubs of *", "/view of chat", "/history of chat/0 chat/1"]);
}

#[test]
fn a_handler_is_tested_by_its_number() {
    let host = ScriptedHost::new(1, Some(HANDLER));
    let (status, report) = host.response("POST", "/management/hubs/chat/eventHandlers/0/:test");
    assert_eq!(status, 200);
    assert!(report.contains(r#""step":"validation","ok":true"#), "{report}");
    let posted = |what: &String| what.starts_with("POST https://example.com/");
    assert!(host.done.borrow().iter().any(posted), "{:?}", host.done);
    for other in ["1", "x"] {
        let path = format!("/management/hubs/chat/eventHandlers/{other}/:test");
        assert_eq!(host.response("POST", &path).0, 404);
    }
}

#[test]
fn connections_are_listed_shard_after_shard() {
    let host = ScriptedHost::new(3, None);
    host.texts.borrow_mut().extend(["- 1\n1", "9 0\n", "- 1\n2", "40 2\n3,4"]);
    let (status, body) = host.response("GET", "/management/hubs/chat/connections?top=4&userId=u");
    assert_eq!((status, body.as_str()), (200, r#"{"connections":[1,2,3,4],"continuationToken":"2.40"}"#));
    let calls = ["/list of chat/0", "/list of chat/1", "/list of chat/1", "/list of chat/2"];
    assert_eq!(host.done.borrow()[1..], calls);
    host.texts.borrow_mut().extend(["- 1\n5"]);
    let (_, body) = host.response("GET", "/management/hubs/chat/connections?continuationToken=2.40");
    assert_eq!(body, r#"{"connections":[5],"continuationToken":null}"#);
}

#[test]
fn a_request_for_a_page_asks_shards_eight_times_at_most() {
    let host = ScriptedHost::new(1, None);
    host.texts.borrow_mut().extend(["4000 0\n"; 9]);
    let (_, body) = host.response("GET", "/management/hubs/chat/connections");
    assert_eq!(body, r#"{"connections":[],"continuationToken":"0.4000"}"#);
    assert_eq!(host.texts.borrow().len(), 1);
}

#[test]
fn one_connection_is_shown_by_its_shard() {
    let host = ScriptedHost::new(3, None);
    let path = |shard| {
        let connection = ShardId(shard).connection_id([7; 16]);
        format!("/management/hubs/chat/connections/{connection}")
    };
    host.texts.borrow_mut().extend(["{}", "", ""]);
    assert_eq!(host.response("GET", &path(2)), (200, "{}".to_owned()));
    assert_eq!(host.done.borrow()[1..], ["/list of chat/2"]);
    assert_eq!(host.response("GET", &path(2)).0, 404, "it is not there");
    assert_eq!(host.response("GET", &path(3)).0, 404, "there is no such shard");
}

/// Source: docs/spec/mqtt.md#over-rest
#[test]
fn a_client_id_of_mqtt_is_the_first_shards() {
    let host = ScriptedHost::new(3, None);
    host.texts.borrow_mut().extend(["{}"]);
    let shown = host.response("GET", "/management/hubs/chat/connections/device1");
    assert_eq!(shown, (200, "{}".to_owned()));
    assert_eq!(host.done.borrow()[1..], ["/list of chat/0"]);
    let host = ScriptedHost::new(3, None);
    for (method, path) in [("DELETE", ""), ("HEAD", ""), ("POST", "/:send")] {
        let path = format!("/api/hubs/chat/connections/device1{path}");
        assert_eq!(host.answer(method, &path), Answer::Forward("chat/0".to_owned()), "{method}");
    }
}

#[test]
fn a_trace_is_a_socket_of_a_shard() {
    let host = ScriptedHost::new(2, None);
    host.offers.borrow_mut().extend([(101, None), (429, None), (500, None)]);
    let path = "/management/hubs/chat/trace?shard=1";
    assert_eq!(host.answer("GET", path), Answer::Pass("a shard's answer"));
    assert_eq!(*host.done.borrow(), ["/view of chat", "/watch of chat/1"]);
    assert_eq!(host.response("GET", path).0, 429);
    assert_eq!(host.response("GET", path).0, 500);
    assert_eq!(host.response("GET", "/management/hubs/chat/trace?shard=2").0, 404);
    let host = ScriptedHost { headers: BTreeMap::new(), ..ScriptedHost::new(1, None) };
    assert_eq!(host.response("GET", "/management/hubs/chat/trace").0, 426);
}

#[test]
fn a_trace_takes_a_token_in_its_query() {
    let host = ScriptedHost::new(1, None);
    host.offers.borrow_mut().extend([(101, None)]);
    let claims = r#"{"aud":"https://svc.example/management/hubs/chat/trace","exp":1700000060}"#;
    let token = sign(&host.config.keys.get().access, claims);
    let ask = |path: &str| {
        let url = format!("https://svc.example{path}");
        let asked = Incoming { method: "GET", url: RequestUrl::split(&url).unwrap(), authorization: "" };
        now_or_never(Gateway::new(&host, &host.config).answer(asked))
    };
    let path = "/management/hubs/chat/trace";
    let watching = ask(&format!("{path}?payloads=1&shard=0&access_token={token}"));
    assert_eq!(watching, Answer::Pass("a shard's answer"));
    for wrong in ["", "?access_token=x", "?shard=0"] {
        let Answer::Respond(response) = ask(&format!("{path}{wrong}")) else { panic!("{wrong}") };
        assert_eq!(response.status, 401);
    }
}
