//! Access keys that change while the service runs.

use webpubsub_auth::{sign, sign_reconnection_token};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::Keys;
use webpubsub_service::gateway::{Answer, Gateway, Incoming};
use webpubsub_shard::ShardId;

use crate::host::{CLIENT, NOW, ScriptedHost, now_or_never};

#[test]
fn keys_are_rotated_and_regenerated() {
    let host = ScriptedHost::new(1, None);
    let old = host.config.keys.get();
    let is_good = |keys: &Keys| {
        let url = "https://svc.example/management/hubs";
        let claims = format!(r#"{{"aud":"{url}","exp":1700000060}}"#);
        let authorization = format!("Bearer {}", sign(&keys.access, &claims));
        let asked =
            Incoming { method: "GET", url: RequestUrl::split(url).unwrap(), authorization: &authorization };
        let answer = now_or_never(Gateway::new(&host, &host.config).answer(asked));
        matches!(answer, Answer::Respond(response) if response.status == 200)
    };
    let (status, shown) = host.response("POST", "/management/keys/:rotate");
    assert_eq!(status, 200);
    let new = "A".repeat(64);
    assert!(shown.starts_with(&format!(r#"{{"primary":{{"start":"AAAA","key":"{new}"}}"#)), "{shown}");
    assert!(shown.ends_with(r#""secondary":{"start":"0123","key":"0123456789abcdef0123456789abcdef"}}"#));
    assert!(is_good(&old) && is_good(&host.config.keys.get()));
    assert_eq!(host.response("POST", "/management/keys/secondary/:regenerate").0, 200);
    assert!(!is_good(&old) && is_good(&host.config.keys.get()));
}

#[test]
fn a_key_that_is_new_elsewhere_is_accepted() {
    let host = ScriptedHost::new(1, None);
    assert_eq!(host.response("GET", "/management/hubs").0, 200);
    // Another process changes the keys.
    let other = ScriptedHost::new(1, None);
    assert_eq!(other.response("POST", "/management/keys/primary/:regenerate").0, 200);
    host.keys.replace(other.keys.take());
    let ask = |now: u64, path: &str, keys: &Keys| {
        host.now.set(Timestamp::from_millis(NOW.as_millis() + now));
        let url = format!("https://svc.example{path}");
        let authorization =
            format!("Bearer {}", sign(&keys.access, &format!(r#"{{"aud":"{url}","exp":1700000060}}"#)));
        let asked =
            Incoming { method: "GET", url: RequestUrl::split(&url).unwrap(), authorization: &authorization };
        match now_or_never(Gateway::new(&host, &host.config).answer(asked)) {
            Answer::Respond(response) => response.status,
            answer @ (Answer::Pass(_) | Answer::Forward(_) | Answer::File | Answer::Accept(..)) => {
                panic!("{answer:?}")
            }
            Answer::AcceptAndClose(..) => 0,
        }
    };
    let (old, new) = (host.config.keys.get(), other.config.keys.get());
    assert_eq!(ask(999, "/management/hubs", &old), 200, "the register was asked a moment ago");
    assert_eq!(ask(1_000, "/management/hubs", &new), 200, "an unknown key has it asked again");
    assert_eq!(ask(1_000, "/management/hubs", &old), 401);
    let warnings = || host.done.borrow().iter().filter(|done| done.starts_with("warning")).count();
    assert_eq!(warnings(), 1, "what was looked at twice is refused once");
    assert_eq!((ask(9_000, "/management/hubs", &old), warnings()), (401, 2));
    let hub = HubName::parse("chat").unwrap();
    let connection = ShardId(0).connection_id([7; 16]);
    let token = sign_reconnection_token(&new.access, NOW, &connection, &hub);
    let other = ScriptedHost::open(1, &[(101, None)]);
    assert_eq!(other.answer("GET", CLIENT), Answer::Pass("a shard's answer"));
    other.keys.replace(host.keys.take());
    other.now.set(Timestamp::from_millis(NOW.as_millis() + 1_000));
    other.offers.borrow_mut().push_back((101, None));
    let path = format!("{CLIENT}?awps_connection_id={connection}&awps_reconnection_token={token}");
    assert_eq!(other.answer("GET", &path), Answer::Pass("a shard's answer"));
}
