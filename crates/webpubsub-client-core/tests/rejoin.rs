//! Joining groups again on a new connection.

#[path = "support/driver.rs"]
mod driver;

use driver::{Driver, unreliable};
use expect_test::expect;
use webpubsub_client_core::Options;

/// A session that joined `a` and `b`, and has lost its connection and got a new socket since.
fn reconnected(options: Options) -> Driver {
    let mut driver = Driver::connected(options);
    driver.join("a");
    driver.join("b");
    driver.say_done(1);
    driver.say_done(2);
    driver.close(1008);
    driver.url();
    driver.open();
    driver.skip();
    driver
}

#[test]
fn groups_are_joined_again_in_parallel_before_connected() {
    let mut driver = reconnected(Options::default());
    driver.say_connected("c2");
    driver.check(expect![[r#"
        0.000 → {"type":"joinGroup","group":"a","ackId":3}
        0.000 → {"type":"joinGroup","group":"b","ackId":4}
    "#]]);
    driver.say_done(4);
    driver.check_nothing();
    driver.say_done(3);
    driver.check(expect![[r#"
        0.000 event connected c2 as alice
    "#]]);
}

#[test]
fn a_refused_group_is_reported_once_and_delays_nothing() {
    let mut driver = reconnected(Options::default());
    driver.say_connected("c2");
    driver.skip();
    driver.say_refused(3, "Forbidden");
    driver.say_done(4);
    driver.check(expect![[r#"
        0.000 event rejoin-group-failed a: the service refused it: No.
        0.000 event connected c2 as alice
    "#]]);
    driver.pass(10_000);
    driver.check_nothing();
}

#[test]
fn a_group_that_is_already_joined_counts_as_joined() {
    let mut driver = reconnected(Options::default());
    driver.say_connected("c2");
    driver.skip();
    driver.say_refused(3, "Duplicate");
    driver.say_done(4);
    driver.check(expect![[r#"
        0.000 event connected c2 as alice
    "#]]);
}

#[test]
fn only_groups_that_were_joined_and_not_left_are_joined_again() {
    let mut driver = Driver::connected(unreliable());
    driver.join("kept");
    driver.join("left");
    driver.join("refused");
    driver.say_done(1);
    driver.say_done(2);
    driver.say_refused(3, "Forbidden");
    driver.leave("left");
    driver.say_done(4);
    driver.join("kept");
    driver.say_done(5);
    driver.pass(10_000);
    driver.close(1006);
    driver.url();
    driver.open();
    driver.skip();
    driver.say_connected("c2");
    driver.check(expect![[r#"
        10.000 → {"type":"joinGroup","group":"kept","ackId":7}
    "#]]);
}

#[test]
fn a_join_that_the_service_had_done_already_counts() {
    let mut driver = Driver::connected(unreliable());
    driver.join("g");
    driver.say_refused(1, "Duplicate");
    driver.close(1006);
    driver.url();
    driver.open();
    driver.skip();
    driver.say_connected("c2");
    driver.check(expect![[r#"
        0.000 → {"type":"joinGroup","group":"g","ackId":2}
    "#]]);
}

#[test]
fn without_auto_rejoin_connected_comes_at_once() {
    let mut driver = reconnected(Options { auto_rejoin_groups: false, ..Options::default() });
    driver.say_connected("c2");
    driver.check(expect![[r#"
        0.000 event connected c2 as alice
    "#]]);
}

#[test]
fn groups_are_not_joined_again_after_a_recovery() {
    let mut driver = Driver::connected(Options::default());
    driver.join("a");
    driver.say_done(1);
    driver.close(1006);
    driver.skip();
    driver.open();
    driver.say_connected("c1");
    driver.check(expect![[r#"
        0.000 → {"type":"ping"}
        0.000 event recovered c1
    "#]]);
}

#[test]
fn a_link_lost_while_joining_again_goes_on_once_recovered() {
    let mut driver = reconnected(Options::default());
    driver.say_connected("c2");
    driver.say_done(3);
    driver.close(1006);
    driver.skip();
    driver.open();
    driver.check(expect![[r#"
        0.000 → {"type":"joinGroup","group":"b","ackId":5}
        0.000 → {"type":"ping"}
    "#]]);
    driver.say_done(5);
    driver.check(expect![[r#"
        0.000 event recovered c2
        0.000 event connected c2 as alice
    "#]]);
}

#[test]
fn a_lost_connection_leaves_joining_again_to_the_next() {
    let mut driver = reconnected(Options::default());
    driver.say_connected("c2");
    driver.skip();
    driver.close(1008);
    driver.check(expect![[r#"
        0.000 event disconnected c2 1008 "" then Reconnect
        0.000 fetch url #3
    "#]]);
    driver.url();
    driver.open();
    driver.say_connected("c3");
    driver.say_done(5);
    driver.say_done(6);
    driver.check(expect![[r#"
        0.000 connect #3 wss://h/client/hubs/chat?access_token=t
        0.000 → {"type":"ping"}
        0.000 → {"type":"joinGroup","group":"a","ackId":5}
        0.000 → {"type":"joinGroup","group":"b","ackId":6}
        0.000 event connected c3 as alice
    "#]]);
}

#[test]
fn groups_are_joined_again_after_a_stop_and_a_start() {
    let mut driver = Driver::connected(Options::default());
    driver.join("a");
    driver.say_done(1);
    driver.stop();
    driver.close(1005);
    driver.start();
    driver.url();
    driver.open();
    driver.skip();
    driver.say_connected("c2");
    driver.check(expect![[r#"
        0.000 → {"type":"joinGroup","group":"a","ackId":2}
    "#]]);
}
