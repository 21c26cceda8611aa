//! Which URLs of event handlers are taken, and what templates become.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn resolved(template: &str, hub: &str, event: &str) -> String {
    UrlTemplate::parse(template).unwrap().resolve(&HubName::parse(hub).unwrap(), event)
}

#[test]
fn an_address_that_a_name_resolves_to_is_judged_too() {
    let is_public = |address: &str| is_public_address(address.parse().unwrap());
    assert!(is_public("93.184.216.34") && is_public("2606:4700::1111"));
    for private in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1"] {
        assert!(!is_public(private), "{private}");
    }
}

#[test]
fn placeholders_are_filled_wherever_they_stand() {
    let template = "http://localhost:3000/{hub}/{EVENT}?h={Hub}&e={event}{event}";
    assert_eq!(
        resolved(template, "a[`,.]", "my-Event_1."),
        "http://localhost:3000/a%5B%60%2C.%5D/my-Event_1.?h=a%5B%60%2C.%5D&e=my-Event_1.my-Event_1."
    );
    assert_eq!(resolved("https://x.com", "h", "e"), "https://x.com");
}

#[test]
fn what_may_be_shown_of_a_template_has_no_query() {
    assert_eq!(
        UrlTemplate::parse("http://h/{event}?code=secret").unwrap().without_query(),
        "http://h/{event}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn addresses_are_those_that_the_standard_library_reads(
        four in "[0-9]{1,3}(\\.[0-9]{0,3}){2,4}",
        six in "([0-9a-fA-F]{0,5}:){0,8}[0-9a-f]{0,4}(:[0-9]{1,3}(\\.[0-9]{1,3}){3})?",
        double in "([0-9a-f]{1,4}:){0,6}:([0-9a-f]{1,4}:){0,6}[0-9a-f.]{0,8}",
    ) {
        prop_assert_eq!(ipv4(&four), four.parse().ok().map(|four: Ipv4Addr| four.octets()));
        for six in [six, double] {
            prop_assert_eq!(ipv6(&six), six.parse().ok().map(|six: Ipv6Addr| six.segments()), "{}", six);
        }
    }

    #[test]
    fn every_address_is_read_as_it_is_written(four: Ipv4Addr, six: Ipv6Addr) {
        prop_assert_eq!(ipv4(&four.to_string()), Some(four.octets()));
        prop_assert_eq!(ipv6(&six.to_string()), Some(six.segments()));
        // An address is judged the same way however it is embedded.
        let is_public = |host: &str| is_public(&format!("https://{host}/"));
        let [high, low] = [four.to_bits() >> 16, four.to_bits() & 0xffff];
        prop_assert_eq!(is_public(&four.to_string()), is_public(&format!("[::ffff:{four}]")));
        prop_assert_eq!(is_public(&four.to_string()), is_public(&format!("[64:ff9b::{four}]")));
        prop_assert_eq!(is_public(&four.to_string()), is_public(&format!("[2002:{high:x}:{low:x}::1]")));
        let is_special = four.is_private() || four.is_loopback() || four.is_link_local() || four.is_multicast()
            || four.is_documentation() || four.is_broadcast() || four.is_unspecified();
        prop_assert!(!is_special || !is_public(&four.to_string()));
    }
}
