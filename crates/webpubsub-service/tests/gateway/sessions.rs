//! Operators sign in.

use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::Config;
use webpubsub_service::gateway::{Answer, Gateway, Incoming};

use crate::host::{ScriptedHost, now_or_never};

/// A host whose operators sign in, and the answer to a request with these headers and without a token.
fn with_session(
    headers: &[(&'static str, String)],
    method: &str,
    path: &str,
    body: &'static str,
) -> (u16, Vec<(&'static str, String)>) {
    let mut host = ScriptedHost::new(1, None);
    let config = Config::read(&|name| match name {
        "WEBPUBSUB_ACCESS_KEY" => Some("0123456789abcdef0123456789abcdef".to_owned()),
        "PORTAL_SECRET" => Some(SECRET.to_owned()),
        _ => None,
    });
    host.config = config.map_err(|error| error.to_string()).unwrap();
    host.body = Ok(body);
    host.headers = headers.iter().map(|(name, value)| (*name, &*value.clone().leak())).collect();
    let url = format!("https://svc.example{path}");
    let asked = Incoming { method, url: RequestUrl::split(&url).unwrap(), authorization: "" };
    match now_or_never(Gateway::new(&host, &host.config).answer(asked)) {
        Answer::Respond(response) => {
            let headers = response.headers.into_iter().map(|(name, value)| (name, value.into_owned()));
            (response.status, headers.collect())
        }
        Answer::Forward(_) => (200, Vec::new()),
        answer @ (Answer::Pass(_) | Answer::File | Answer::Accept(..) | Answer::AcceptAndClose(..)) => {
            panic!("{answer:?}")
        }
    }
}

const SECRET: &str = "a secret of operators";

#[test]
fn a_session_needs_its_header_and_its_own_site() {
    let portal = ("X-Portal", "1".to_owned());
    let body = r#"{"secret":"a secret of operators"}"#;
    let (status, headers) = with_session(std::slice::from_ref(&portal), "POST", "/management/session", body);
    assert_eq!(status, 204);
    let (_, cookie) = headers.iter().find(|(name, _)| *name == "set-cookie").unwrap();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let cookie = ("Cookie", format!("a=b; {}", cookie.split(';').next().unwrap()));
    let origin = |origin: &str| ("Origin", origin.to_owned());
    let upgrade = ("Upgrade", "websocket".to_owned());
    for (headers, expected) in [
        (vec![], 401),
        (vec![portal.clone()], 401),
        (vec![cookie.clone()], 403),
        (vec![cookie.clone(), portal.clone()], 200),
        (vec![cookie.clone(), portal.clone(), origin("https://SVC.example")], 200),
        (vec![cookie.clone(), origin("https://svc.example")], 403),
        (vec![cookie.clone(), portal.clone(), origin("https://other.example")], 403),
        (vec![cookie.clone(), portal.clone(), origin("null")], 403),
        (vec![cookie.clone(), upgrade.clone(), origin("https://other.example")], 403),
        (vec![cookie.clone(), upgrade], 403),
    ] {
        for path in ["/management/hubs", "/api/hubs/chat/:closeConnections"] {
            let method = if path.starts_with("/api") { "POST" } else { "GET" };
            assert_eq!(with_session(&headers, method, path, "").0, expected, "{path} {headers:?}");
        }
    }
}

#[test]
fn a_wrong_secret_signs_no_one_in() {
    let portal = [("X-Portal", "1".to_owned())];
    for body in [r#"{"secret":""}"#, r#"{"secret":"a secret of operator"}"#, "{}", r#"{"secret":1}"#] {
        let (status, headers) = with_session(&portal, "POST", "/management/session", body);
        assert_eq!(status, 401, "{body}");
        assert!(headers.iter().all(|(name, _)| *name != "set-cookie"));
    }
    assert_eq!(with_session(&portal, "POST", "/management/session", "x").0, 400);
    // Anybody may send one: no more of it is read.
    let long = format!(r#"{{"secret":"{}"}}"#, "x".repeat(16 << 10)).leak();
    assert_eq!(with_session(&portal, "POST", "/management/session", long).0, 400);
    assert_eq!(with_session(&[], "POST", "/management/session", r#"{"secret":"x"}"#).0, 403);
}
