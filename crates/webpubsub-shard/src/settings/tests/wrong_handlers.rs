//! What is wrong with event handlers in settings, and what is said of it.

use super::*;

const NAMES: &str = "`*`, a name, or names with commas between: letters, digits and _.- without wildcards";
const URL: &str =
    "an absolute http or https URL of printable ASCII, without user information, backslash or fragment";
const ONCE: &str = "there once: names ignore case";
const SYSTEM_EVENTS: &str = "a list out of `connect`, `connected` and `disconnected`";
const FILTER: &str = "a group's name or a pattern: `*`, `**` and `?` are wildcards, at most 5, and `\\` before one takes that from it";
const KINDS: &str = "`None`, or `Bearer` or `Header` with a secret that the handler knows: there are no managed identities here";
const OTHER_TYPE: &str = "left out: it is no part of `auth` of this type";
const SECRET: &str = "a string, or {\"secret\":\"NAME\"} with the name of a secret of the worker";
const SECRET_TEXT: &str = "1 to 4096 characters of printable ASCII, or {\"secret\":\"NAME\"}";
const SECRET_NAME: &str =
    "the name of a secret that is meant for handlers: HANDLER_SECRET_ and up to 128 letters, digits and _";
const HEADER: &str = "the name of a header that the service does not set itself";

/// Handlers that are wrong, where they are, and what should be there.
const WRONG: [(&str, &str, &str); 48] = [
    ("1", "", "an object"),
    ("{}", ".urlTemplate", URL),
    (r#"{"urlTemplate":1}"#, ".urlTemplate", URL),
    (
        r#"{"urlTemplate":"tunnel:///a"}"#,
        ".urlTemplate",
        "an http or https URL: there is no tunnel, and the service calls local handlers itself",
    ),
    (
        r#"{"urlTemplate":"http://h/{x}"}"#,
        ".urlTemplate",
        "without braces but for {hub} and {event}, which are not in the host",
    ),
    (r#"{"urltemplate":"http://h"}"#, ".urltemplate", ONCE),
    (r#"{"UserEventPattern":"*","EventPattern":"*"}"#, ".EventPattern", ONCE),
    (r#"{"urlTemplates":"http://h"}"#, ".urlTemplates", "left out: it is no setting of an event handler"),
    (r#"{"EventPattern":"a*"}"#, ".EventPattern", NAMES),
    (r#"{"userEventPattern":1}"#, ".userEventPattern", NAMES),
    (r#"{"userEventPattern":"a*"}"#, ".userEventPattern", NAMES),
    (r#"{"userEventPattern":"*,a"}"#, ".userEventPattern", NAMES),
    (r#"{"userEventPattern":"a,,b"}"#, ".userEventPattern", NAMES),
    (r#"{"systemEvents":"connect"}"#, ".systemEvents", SYSTEM_EVENTS),
    (r#"{"systemEvents":["connect",1]}"#, ".systemEvents", SYSTEM_EVENTS),
    (r#"{"systemEvents":["connect","joined"]}"#, ".systemEvents.1", SYSTEM_EVENTS),
    (r#"{"groupPresenceEvents":[]}"#, ".groupPresenceEvents", "an object"),
    (
        r#"{"groupPresenceEvents":{"eventNames":["x"]}}"#,
        ".groupPresenceEvents.eventNames.0",
        "a list out of `joined` and `left`",
    ),
    (
        r#"{"groupPresenceEvents":{"groupFilters":[1]}}"#,
        ".groupPresenceEvents.groupFilters",
        "a list of strings",
    ),
    (
        r#"{"groupPresenceEvents":{"groupFilters":["a","b\\"]}}"#,
        ".groupPresenceEvents.groupFilters.1",
        FILTER,
    ),
    (
        r#"{"groupPresenceEvents":{"groupFilters":["*****?","*a*a*a*a*a*"]}}"#,
        ".groupPresenceEvents.groupFilters.1",
        FILTER,
    ),
    (r#"{"GroupPresenceEvents":{"groupFilters":[""]}}"#, ".GroupPresenceEvents.groupFilters.0", FILTER),
    (r#"{"groupPresenceEvents":{"groupFilters":[" "]}}"#, ".groupPresenceEvents.groupFilters.0", FILTER),
    (
        r#"{"groupPresenceEvents":{"x":1}}"#,
        ".groupPresenceEvents.x",
        "left out: it is no setting of group presence",
    ),
    (r#"{"auth":"Bearer"}"#, ".auth", "an object"),
    (r#"{"auth":{"type":"Basic"}}"#, ".auth.type", KINDS),
    (r#"{"auth":{"type":1}}"#, ".auth.type", KINDS),
    (r#"{"auth":{"type":"managedidentity","managedIdentity":null}}"#, ".auth.type", KINDS),
    (r#"{"auth":{"managedIdentity":{"resource":"x"}}}"#, ".auth.type", KINDS),
    (r#"{"auth":{"token":"x"}}"#, ".auth.token", OTHER_TYPE),
    (r#"{"auth":{"type":"Bearer","token":"x","managedIdentity":{}}}"#, ".auth.managedIdentity", OTHER_TYPE),
    (r#"{"auth":{"type":"None","tokens":"x"}}"#, ".auth.tokens", OTHER_TYPE),
    (r#"{"auth":{"type":"ManagedIdentity","managedIdentity":{"resource":"x"}}}"#, ".auth.type", KINDS),
    (r#"{"auth":{"type":"None","token":"x"}}"#, ".auth.token", OTHER_TYPE),
    (r#"{"auth":{"type":"Bearer"}}"#, ".auth.token", SECRET),
    (r#"{"auth":{"type":"Bearer","token":""}}"#, ".auth.token", SECRET_TEXT),
    (r#"{"auth":{"type":"Bearer","token":"a\nb"}}"#, ".auth.token", SECRET_TEXT),
    (r#"{"auth":{"type":"Bearer","token":"é"}}"#, ".auth.token", SECRET_TEXT),
    (r#"{"auth":{"type":"Bearer","token":1}}"#, ".auth.token", SECRET),
    (r#"{"auth":{"type":"Bearer","token":{"secret":1}}}"#, ".auth.token", SECRET),
    (
        r#"{"auth":{"type":"Bearer","token":{"secret":"HANDLER_SECRET_A","b":1}}}"#,
        ".auth.token.b",
        "left out: it is no part of a secret",
    ),
    (r#"{"auth":{"type":"Bearer","token":{"secret":"HUB_SETTINGS"}}}"#, ".auth.token.secret", SECRET_NAME),
    (r#"{"auth":{"type":"Bearer","token":{"Secret":"HANDLER_SECRET_"}}}"#, ".auth.token.Secret", SECRET_NAME),
    (r#"{"auth":{"type":"Header","value":"x"}}"#, ".auth.name", HEADER),
    (r#"{"auth":{"type":"Header","name":"a b","value":"x"}}"#, ".auth.name", HEADER),
    (r#"{"auth":{"type":"Header","name":"Ce-Signature","value":"x"}}"#, ".auth.name", HEADER),
    (r#"{"auth":{"type":"Header","name":"HOST","value":"x"}}"#, ".auth.name", HEADER),
    (r#"{"auth":{"type":"Header","name":"X-Key"}}"#, ".auth.value", SECRET),
];

#[test]
fn what_is_wrong_with_a_handler_is_said_with_where() {
    for (handler, path, expected) in WRONG {
        // What is wrong is wrong beside a URL that is right.
        let is_url_given = handler.contains(r#""urlTemplate""#);
        let url = if is_url_given { "{\"" } else { r#"{"urlTemplate":"http://h",""# };
        let handler = handler.replacen("{\"", url, 1);
        let why = HubSettings::parse(&format!(r#"{{"eventHandlers":[{handler}]}}"#)).unwrap_err();
        assert_eq!(why.to_string(), format!("eventHandlers.0{path} should be {expected}"));
    }
}

#[test]
fn what_is_wrong_with_all_handlers_is_said_with_where() {
    let long = format!(r#"{{"urlTemplate":"http://h","userEventPattern":"{}"}}"#, ["abc"; 20_000].join(","));
    let of = |text: &str| HubSettings::parse(text).unwrap_err().to_string();
    assert_eq!(of(r#"{"eventHandlers":{}}"#), "eventHandlers should be a list of at most 100");
    let many = [r#"{"urlTemplate":"http://h"}"#; 101].join(",");
    assert_eq!(
        of(&format!(r#"{{"eventHandlers":[{many}]}}"#)),
        "eventHandlers should be a list of at most 100"
    );
    let long = HubSettings::parse(&format!(r#"{{"eventHandlers":[{long}]}}"#)).unwrap();
    let long = long.with_secrets_of(&HubSettings::default()).unwrap_err().to_string();
    assert_eq!(long, "the settings should be at most 65536 bytes a hub");
    let one = r#"{"hubs":{"chat":{"eventHandlers":[{"urlTemplate":"ftp://h"}]}}}"#;
    assert_eq!(Settings::parse(one).unwrap_err().path, "hubs.chat.eventHandlers.0.urlTemplate");
}
