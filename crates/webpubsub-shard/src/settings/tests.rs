//! What settings are read as, what is wrong with others, and what is shown and stored of them.

mod wrong_handlers;

use super::*;

#[test]
fn a_hub_has_the_settings_given_and_otherwise_the_defaults() {
    let settings =
        Settings::parse(r#"{"hubs":{"Chat":{"anonymousConnectPolicy":"Allow","eventHandlers":[]}}}"#);
    let settings = settings.unwrap();
    let of = |hub: &str| settings.of(&HubName::parse(hub).unwrap()).anonymous_connect;
    assert_eq!(of("chat"), AnonymousConnectPolicy::Allow);
    assert_eq!(of("other"), AnonymousConnectPolicy::Deny);
    assert_eq!(Settings::parse("{}"), Ok(Settings::default()));
}

#[test]
fn the_settings_of_one_hub_survive_their_way() {
    let settings = HubSettings {
        anonymous_connect: AnonymousConnectPolicy::Allow,
        shards: Some(4),
        keep_alive_seconds: Some(120),
        event_handlers: Vec::new(),
    };
    for read in [HubSettings::parse, HubSettings::decode] {
        assert_eq!(read(&settings.encode()), Ok(settings.clone()));
        assert_eq!(read(&settings.show()), Ok(settings.clone()));
        assert_eq!(read(&HubSettings::default().encode()), Ok(HubSettings::default()));
    }
    assert_eq!(HubSettings::parse("[]").unwrap_err().to_string(), "the settings should be an object");
    for shards in ["0", "1025", "-1", "1.5", "\"1\""] {
        let error = HubSettings::parse(&format!(r#"{{"shards":{shards}}}"#)).unwrap_err().to_string();
        assert_eq!(error, "shards should be a whole number from 1 to 1024");
    }
}

#[test]
fn what_is_wrong_is_said_with_where() {
    let cases = [
        ("{", "the settings should be JSON"),
        ("[]", "the settings should be an object"),
        (r#"{"hub":{}}"#, "hub should be left out: settings of hubs are in `hubs`"),
        (r#"{"hubs":[]}"#, "hubs should be an object"),
        (r#"{"hubs":{"1":{}}}"#, "hubs.1 should be named like a hub"),
        (r#"{"hubs":{"a":{},"A":{}}}"#, "hubs.A should be there once: hub names ignore case"),
        (r#"{"hubs":{"a":1}}"#, "hubs.a should be an object"),
        (
            r#"{"hubs":{"a":{"anonymousConnectPolicy":true}}}"#,
            "hubs.a.anonymousConnectPolicy should be `allow` or `deny`",
        ),
        (r#"{"hubs":{"a":{"x":1}}}"#, "hubs.a.x should be left out: it is no setting of a hub"),
        (r#"{"hubs":{},"Hubs":{}}"#, "Hubs should be there once: names ignore case"),
        (
            r#"{"hubs":{"a":{}},"WebPubSub":{"Hubs":{"A":{}}}}"#,
            "WebPubSub.Hubs.A should be there once: hub names ignore case",
        ),
        (
            r#"{"WebPubSub":{"AccessKey":"k","Hubs":{}}}"#,
            "WebPubSub.AccessKey should be left out: the access key is the secret WEBPUBSUB_ACCESS_KEY",
        ),
        (r#"{"WebPubSub":{"Hub":{}}}"#, "WebPubSub.Hub should be left out: settings of hubs are in `hubs`"),
    ];
    for (text, expected) in cases {
        assert_eq!(Settings::parse(text).unwrap_err().to_string(), expected);
    }
}

const HANDLERS: &str = r#"{"eventHandlers":[
    {"urlTemplate":"https://example.com/{event}?code=c","systemEvents":["Connect","connected"],
     "auth":{"type":"bearer","token":"CANARY 1"}},
    {"urlTemplate":"http://localhost:3000/eventhandler","userEventPattern":" a, Message ",
     "systemEvents":[],"auth":{"type":"HEADER","name":"X-Key","value":"CANARY 2"},
     "groupPresenceEvents":{"eventNames":["Joined"],"groupFilters":["room","room 2"]}},
    {"urlTemplate":"http://localhost:3000/2","userEventPattern":"*","systemEvents":["disconnected"],
     "auth":{"type":"Bearer","token":{"secret":"HANDLER_SECRET_TOKEN"}},
     "groupPresenceEvents":{"eventNames":["joined","left"]}},
    {"urlTemplate":"http://localhost:3000/3","auth":{"type":"none"}}
]}"#;

fn handlers() -> HubSettings {
    HubSettings::parse(HANDLERS).unwrap()
}

#[test]
fn an_event_goes_to_the_first_handler_that_takes_it() {
    use webpubsub_protocol::data::{MessageData, Metadata};
    use webpubsub_protocol::name::{EventName, GroupName};

    let settings = handlers();
    let receiver = |event: &Event| settings.handler_for(event).map(|(at, _)| at);
    let user = |name: &str| {
        let name = EventName::parse(name).unwrap();
        receiver(&Event::User { name, data: MessageData::default(), metadata: Metadata::default() })
    };
    let group = |name: &str| GroupName::parse(name).unwrap();
    assert_eq!(receiver(&Event::Connect { body: String::new() }), Some(0));
    assert_eq!(receiver(&Event::Connected), Some(0));
    assert_eq!(receiver(&Event::Disconnected { reason: String::new() }), Some(2));
    assert_eq!(
        (user("A"), user("message"), user("b"), user("connected")),
        (Some(1), Some(1), Some(2), Some(2))
    );
    assert_eq!(receiver(&Event::Joined { group: group("room") }), Some(1));
    assert_eq!(receiver(&Event::Joined { group: group("Room") }), Some(2));
    assert_eq!(receiver(&Event::Left { group: group("room") }), Some(2));
    assert_eq!(HubSettings::default().handler_for(&Event::Connected), None);
    let none = HubSettings::parse(
        r#"{"eventHandlers":[{"urlTemplate":"http://h","userEventPattern":"","groupPresenceEvents":{}}]}"#,
    )
    .unwrap();
    assert_eq!(none.handler_for(&Event::Joined { group: group("room") }), None);
    assert!(!none.event_handlers[0].takes(&Event::User {
        name: EventName::parse("a").unwrap(),
        data: MessageData::default(),
        metadata: Metadata::default(),
    }));
}

#[test]
fn handlers_survive_their_way_and_secrets_are_not_shown() {
    let settings = handlers();
    assert_eq!(HubSettings::parse(&settings.encode()), Ok(settings.clone()));
    let shown = settings.show();
    assert!(!shown.contains("CANARY") && !format!("{settings:?}").contains("CANARY"), "{shown}");
    assert!(shown.contains(r#""auth":{"type":"Bearer","token":"***"}"#), "{shown}");
    assert!(shown.contains(r#""auth":{"type":"Header","name":"X-Key","value":"***"}"#), "{shown}");
    assert!(shown.contains(r#""token":{"secret":"HANDLER_SECRET_TOKEN"}"#), "{shown}");
    let given_back = HubSettings::parse(&shown).unwrap();
    assert_eq!(given_back.with_secrets_of(&settings), Ok(settings));
}

#[test]
fn a_hidden_secret_is_that_of_the_handler_with_the_same_url() {
    let of = |handlers: &[(&str, &str, &str)]| {
        let handler = |(url, kind, secret): &(&str, &str, &str)| {
            let auth = match *kind {
                "Bearer" => format!(r#"{{"type":"Bearer","token":"{secret}"}}"#),
                name => format!(r#"{{"type":"Header","name":"{name}","value":"{secret}"}}"#),
            };
            format!(r#"{{"urlTemplate":"http://{url}","auth":{auth}}}"#)
        };
        let handlers: Vec<_> = handlers.iter().map(handler).collect();
        HubSettings::parse(&format!(r#"{{"eventHandlers":[{}]}}"#, handlers.join(","))).unwrap()
    };
    let known = of(&[("a", "Bearer", "1"), ("a", "Bearer", "2"), ("a", "X-A", "3"), ("b", "Bearer", "4")]);
    let kept = |handlers| of(handlers).with_secrets_of(&known);
    assert_eq!(
        kept(&[("b", "Bearer", "***"), ("a", "Bearer", "***"), ("a", "X-B", "***"), ("a", "Bearer", "***")]),
        Ok(of(&[("b", "Bearer", "4"), ("a", "Bearer", "2"), ("a", "X-B", "3"), ("a", "Bearer", "1")]))
    );
    let why = kept(&[("a", "Bearer", "x"), ("b", "X-A", "***")]).unwrap_err().to_string();
    let expected = "a secret: none is known of a handler with this URL and type of `auth`";
    assert_eq!(why, format!("eventHandlers.1.auth.value should be {expected}"));
    assert_eq!(kept(&[("c", "Bearer", "***")]).unwrap_err().path, "eventHandlers.0.auth.token");
    let file = r#"{"hubs":{"a":{"eventHandlers":[{"urlTemplate":"http://a","auth":{"type":"Bearer","token":"***"}}]}}}"#;
    assert_eq!(Settings::parse(file).unwrap_err().path, "hubs.a.eventHandlers.0.auth.token");
}

#[test]
fn private_handlers_are_distinguished_from_public_ones() {
    let expected = "https to a public host, as ALLOW_PRIVATE_EVENT_HANDLERS is not set";
    let why = handlers().check_public().unwrap_err().to_string();
    assert_eq!(why, format!("eventHandlers.1.urlTemplate should be {expected}"));
    let settings = Settings::parse(&format!(r#"{{"hubs":{{"Chat":{HANDLERS}}}}}"#)).unwrap();
    assert_eq!(settings.check_public().unwrap_err().path, "hubs.chat.eventHandlers.1.urlTemplate");
    let public = r#"{"eventHandlers":[{"urlTemplate":"https://example.com/"}]}"#;
    assert_eq!(HubSettings::parse(public).unwrap().check_public(), Ok(()));
}

#[test]
fn settings_are_read_as_azure_and_its_tools_write_them() {
    let expected = HubSettings::parse(
        r#"{"anonymousConnectPolicy":"allow","webSocketKeepAliveIntervalInSeconds":20,"eventHandlers":[
            {"urlTemplate":"http://h/","userEventPattern":"a, b","systemEvents":["connect"],
             "groupPresenceEvents":{"eventNames":["joined"],"groupFilters":[]}}]}"#,
    )
    .unwrap();
    let properties = r#"{"anonymousConnectPolicy":"Allow","eventListeners":[],"shards":null,
        "webSocketKeepAliveIntervalInSeconds":20,"notes":["anything"],"eventHandlers":[
        {"urlTemplate":"http://h/","userEventPattern":"a, b","systemEvents":["Connect"],
         "auth":{"type":"None","managedIdentity":null},
         "groupPresenceEvents":{"eventNames":["Joined"],"groupFilters":null}}]}"#;
    let emulator = r#"{"AnonymousConnectPolicy":"Allow","EventListeners":null,
        "WebSocketKeepAliveIntervalInSeconds":20,"EventHandlers":[{"UrlTemplate":"http://h/",
        "UserEventPattern":null,"EventPattern":"a, b","SystemEvents":["connect"],"Auth":null,
        "GroupPresenceEvents":{"EventNames":["joined"]}}]}"#;
    let cases = [
        properties.to_owned(),
        emulator.to_owned(),
        format!("\u{feff}{properties}"),
        // A resource as Azure answers with it, and as `az` prints it.
        format!(
            r#"{{"id":"/subscriptions/0/resourceGroups/g/providers/Microsoft.SignalRService/webPubSub/s/hubs/h",
                "name":"h","type":"Microsoft.SignalRService/WebPubSub/hubs","resourceGroup":"g",
                "systemData":null,"sku":null,"properties":{properties}}}"#
        ),
        // One of a template.
        format!(
            r#"{{"type":"Microsoft.SignalRService/webPubSub/hubs","apiVersion":"2024-03-01",
                "name":"[concat(parameters('name'), '/h')]","dependsOn":["x"],"Properties":{emulator}}}"#
        ),
        format!(r#"{{"id":"x","name":"h","systemData":{{"createdBy":"x"}},{}"#, properties.split_at(1).1),
    ];
    for text in cases {
        assert_eq!(HubSettings::parse(&text), Ok(expected.clone()), "{text}");
        let emulators_file = format!(
            r#"{{"$schema":"x","Urls":"http://localhost:8080","Logging":{{}},"AllowedHosts":"*",
                "WebPubSub":{{"Hubs":{{"Chat":{}}}}}}}"#,
            text.trim_start_matches('\u{feff}')
        );
        let settings = Settings::parse(&emulators_file).unwrap();
        assert_eq!(settings.of(&HubName::parse("chat").unwrap()), expected, "{text}");
    }
}

#[test]
fn what_is_null_is_as_if_it_were_left_out() {
    let whole = r#"{"anonymousConnectPolicy":null,"shards":null,"eventHandlers":null,"eventListeners":null,
        "webSocketKeepAliveIntervalInSeconds":null,"notes":null,"properties":null,"identity":null}"#;
    assert_eq!(HubSettings::parse(whole), Ok(HubSettings::default()));
    let one = |more: &str| {
        HubSettings::parse(&format!(r#"{{"eventHandlers":[{{"urlTemplate":"http://h"{more}}}]}}"#))
    };
    let cases = [
        (r#","userEventPattern":null,"systemEvents":null,"auth":null,"groupPresenceEvents":null"#, ""),
        (r#","auth":{}"#, ""),
        (r#","auth":{"type":null,"managedIdentity":null}"#, ""),
        (r#","auth":{"type":"None","managedIdentity":{"resource":null},"token":null}"#, ""),
        (
            r#","auth":{"type":"Bearer","token":"t","managedIdentity":null,"name":null,"value":null}"#,
            r#","auth":{"type":"Bearer","token":"t"}"#,
        ),
        (r#","groupPresenceEvents":{"eventNames":null,"groupFilters":null}"#, r#","groupPresenceEvents":{}"#),
    ];
    for (given, same) in cases {
        assert_eq!(one(given), one(same), "{given}");
        assert!(one(given).is_ok(), "{given}");
    }
    assert_eq!(Settings::parse(r#"{"hubs":null}"#), Ok(Settings::default()));
    assert_eq!(Settings::parse(r#"{"hubs":{"a":null}}"#), Ok(Settings::default()));
    for (text, path) in [
        ("null", ""),
        (r#"{"eventHandlers":[null]}"#, "eventHandlers.0"),
        (r#"{"eventHandlers":[{"urlTemplate":null}]}"#, "eventHandlers.0.urlTemplate"),
    ] {
        assert_eq!(HubSettings::parse(text).unwrap_err().path, path, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_hub_is_said_with_where() {
    let listeners = "an empty list: there are no listeners here, and `eventHandlers` are called";
    let seconds = "a whole number from 1 to 120";
    let cases = [
        (r#"{"eventListeners":[{}]}"#, "eventListeners", listeners),
        (r#"{"EventListeners":{}}"#, "EventListeners", listeners),
        (r#"{"webSocketKeepAliveIntervalInSeconds":0}"#, KEEP_ALIVE, seconds),
        (r#"{"webSocketKeepAliveIntervalInSeconds":121}"#, KEEP_ALIVE, seconds),
        (r#"{"webSocketKeepAliveIntervalInSeconds":1000}"#, KEEP_ALIVE, seconds),
        (r#"{"webSocketKeepAliveIntervalInSeconds":"20"}"#, KEEP_ALIVE, seconds),
        (r#"{"webSocketKeepAliveIntervalInSeconds":1.5}"#, KEEP_ALIVE, seconds),
        (r#"{"shards":1,"shards":1}"#, "shards", "there once: names ignore case"),
        (r#"{"shards":1,"Shards":2}"#, "Shards", "there once: names ignore case"),
        (r#"{"properties":[]}"#, "properties", "an object"),
        (r#"{"properties":{},"Properties":{}}"#, "Properties", "there once: names ignore case"),
        (
            r#"{"properties":{"eventHandler":[]}}"#,
            "properties.eventHandler",
            "left out: it is no setting of a hub",
        ),
        (r#"{"properties":{"id":"x"}}"#, "properties.id", "left out: it is no setting of a hub"),
        (r#"{"properties":{},"Shards":1}"#, "Shards", "in `properties`, with the others"),
        (r#"{"property":{}}"#, "property", "left out: it is no setting of a hub"),
        (
            r#"{"properties":{"EventHandlers":[{"UrlTemplate":"x"}]}}"#,
            "properties.EventHandlers.0.UrlTemplate",
            "an absolute http or https URL of printable ASCII, without user information, backslash or fragment",
        ),
    ];
    for (text, path, expected) in cases {
        let why = HubSettings::parse(text).unwrap_err().to_string();
        assert_eq!(why, format!("{path} should be {expected}"), "{text}");
    }
}

#[test]
fn filters_of_groups_have_the_grammar_of_wildcard_roles() {
    use webpubsub_protocol::name::GroupName;

    let receives = |filters: &str, group: &str| {
        let presence = format!(r#"{{"eventNames":["joined"],"groupFilters":{filters}}}"#);
        let text =
            format!(r#"{{"eventHandlers":[{{"urlTemplate":"http://h","groupPresenceEvents":{presence}}}]}}"#);
        let settings = HubSettings::parse(&text).unwrap();
        assert_eq!(HubSettings::decode(&settings.encode()).as_ref(), Ok(&settings));
        settings.handler_for(&Event::Joined { group: GroupName::parse(group).unwrap() }).is_some()
    };
    for (filters, yes, no) in [
        ("null", "a.b", None),
        ("[]", "a.b", None),
        (r#"["**"]"#, "a.b", None),
        (r#"["*"]"#, "a", Some("a.b")),
        (r#"["room.*"]"#, "room.1", Some("room.1.2")),
        (r#"["room.**"]"#, "room.1.2", Some("room")),
        (r#"["group1","group2*"]"#, "group23", Some("group11")),
        (r#"["a?"]"#, "ab", Some("a.")),
        (r#"["lit\\*"]"#, "lit*", Some("lit1")),
        (r#"["Room"]"#, "Room", Some("room")),
    ] {
        assert!(receives(filters, yes), "{filters} {yes}");
        assert!(!no.is_some_and(|no| receives(filters, no)), "{filters} {no:?}");
    }
}

#[test]
fn only_secrets_that_are_meant_for_handlers_may_be_named() {
    let name = |name: &str| HandlerSecret::is_for_handlers(name);
    assert!(name("HANDLER_SECRET_A") && name("HANDLER_SECRET_a1_"));
    assert!(name(&format!("HANDLER_SECRET_{}", "A".repeat(128))));
    for wrong in [
        "HUB_SETTINGS",
        "WEBPUBSUB_ACCESS_KEY",
        "HANDLER_SECRET_",
        "HANDLER_SECRET",
        "handler_secret_a",
        "A_HANDLER_SECRET_A",
        " HANDLER_SECRET_A",
        "HANDLER_SECRET_A-B",
        "HANDLER_SECRET_A\n",
        "",
        &format!("HANDLER_SECRET_{}", "A".repeat(129)),
    ] {
        assert!(!name(wrong), "{wrong}");
    }
}

#[test]
fn stored_settings_keep_a_secret_that_older_rules_allowed() {
    let stored = r#"{"anonymousConnectPolicy":"deny","eventHandlers":[
        {"urlTemplate":"http://h/","userEventPattern":"*","systemEvents":[],
         "auth":{"type":"Bearer","token":{"secret":"HUB_SETTINGS"}}}]}"#;
    let settings = HubSettings::decode(stored).unwrap();
    assert!(settings.show().contains(r#""token":{"secret":"HUB_SETTINGS"}"#));
    assert_eq!(HubSettings::decode(&settings.encode()), Ok(settings.clone()));
    let given_back = HubSettings::parse(&settings.show()).unwrap_err();
    assert_eq!(given_back.path, "eventHandlers.0.auth.token.secret");
}

#[test]
fn stored_filters_that_are_no_patterns_are_names() {
    use webpubsub_protocol::name::GroupName;

    let stored = r#"{"eventHandlers":[{"urlTemplate":"http://h/",
        "groupPresenceEvents":{"eventNames":["left"],"groupFilters":["a\\b"]}}]}"#;
    let settings = HubSettings::decode(stored).unwrap();
    let receives = |group: &str| {
        settings.handler_for(&Event::Left { group: GroupName::parse(group).unwrap() }).is_some()
    };
    assert!(receives("a\\b") && !receives("ab"));
    assert_eq!(HubSettings::decode(&settings.encode()), Ok(settings));
}

#[test]
fn settings_as_long_as_they_may_be_are_stored_and_given_back() {
    let known = HubSettings::default();
    let of = |names: usize| {
        let short = [r#"{"urlTemplate":"http://h"}"#; 99].join(",");
        let names = ["a"].repeat(names).join(",");
        let blanks = " ".repeat(100_000);
        let first = format!(r#"{{"urlTemplate":"http://h","userEventPattern":"{names}"}}"#);
        HubSettings::parse(&format!(r#"{{{blanks}"eventHandlers":[{first},{short}]}}"#)).unwrap()
    };
    let most = (HubSettings::MAX_BYTES + 2 - of(1).encode().len()) / 2;
    let settings = of(most).with_secrets_of(&known).unwrap();
    assert!(settings.encode().len() > HubSettings::MAX_BYTES - 2);
    assert_eq!(HubSettings::decode(&settings.encode()), Ok(settings));
    assert!(of(most + 1).with_secrets_of(&known).is_err());
    // What hidden secrets stand for counts.
    let handler = |secret: &str| {
        format!(r#"{{"urlTemplate":"http://h","auth":{{"type":"Bearer","token":"{secret}"}}}}"#)
    };
    let known = format!(r#"{{"eventHandlers":[{}]}}"#, handler(&"s".repeat(4096)));
    let known = HubSettings::parse(&known).unwrap();
    let many = format!(r#"{{"eventHandlers":[{}]}}"#, vec![handler("***"); 20].join(","));
    let why = HubSettings::parse(&many).unwrap().with_secrets_of(&known).unwrap_err();
    assert_eq!(why.to_string(), "the settings should be at most 65536 bytes a hub");
}

#[test]
fn settings_that_older_versions_wrote_are_read() {
    let text = r#"{"anonymousConnectPolicy":"allow","eventHandlers":[],"shards":4}"#;
    let settings = HubSettings::parse(text).unwrap();
    assert_eq!((settings.anonymous_connect, settings.shards), (AnonymousConnectPolicy::Allow, Some(4)));
    assert_eq!(settings.event_handlers, []);
}
