//! When a driver waits for time: its timer, and its alarm, which outlives the memory.

use std::time::Duration;

use expect_test::expect;
use webpubsub_protocol::client::Subprotocol;
use webpubsub_shard::{Driver, Input, Limits, Shard, ShardConfig, ShardId, Snapshot};

use crate::host::{PUBLISH, WINDOW, connect, cut, driver, id, policy, send, step};

#[test]
fn the_alarm_is_set_for_the_first_deadline_only() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    for number in 0..2 {
        connect(&mut driver, &mut host, number, Subprotocol::JsonReliable);
    }
    for slot in 0..2 {
        step(&mut driver, &mut host, cut(slot));
        driver.turn(&mut host).expect("the disk has space");
        host.now = host.now.after(Duration::from_secs(1));
    }
    host.done.retain(|done| done.starts_with("alarm"));
    assert_eq!(host.done, [format!("alarm in {WINDOW:?}")]);
}

#[test]
fn an_alarm_that_fires_early_is_set_again() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    for number in 0..2 {
        connect(&mut driver, &mut host, number, Subprotocol::JsonReliable);
        step(&mut driver, &mut host, cut(number.into()));
        driver.turn(&mut host).expect("the disk has space");
        host.now = host.now.after(Duration::from_secs(1));
    }
    // The first comes back, so that only the second has a deadline.
    step(&mut driver, &mut host, Input::Recover { connection: id(0), reconnection_token: String::new() });
    host.done.retain(|done| done.starts_with("alarm"));
    assert!(host.done.is_empty(), "an alarm that fires earlier stays");
    host.now = host.now.after(WINDOW - Duration::from_secs(2));
    driver.alarm_fired();
    step(&mut driver, &mut host, Input::Timeout);
    host.check(&expect![[r#"
        alarm in 1s
    "#]]);
}

#[test]
fn the_alarm_is_brought_forward_for_an_earlier_deadline() {
    let (mut driver, mut host) = driver(ShardConfig { shards: 2, ..ShardConfig::only() });
    for number in 0..2 {
        connect(&mut driver, &mut host, number, Subprotocol::JsonReliable);
    }
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    send(&mut driver, &mut host, 1, PUBLISH);
    driver.turn(&mut host).expect("the disk has space");
    let taken = Input::Relayed { to: ShardId(1), last: 1, taken: true };
    step(&mut driver, &mut host, taken);
    host.check(&expect![[r#"
        turn Soon
        store Detach
        forget 0
        alarm in 60s
        turn Soon
        store UseAcks
        store Log
        send numbered [(1, 1)]
        send [1] ack
        read row 1
        relay [1] up to 1 from 0 to 1
        alarm in 10s
        turn Soon
    "#]]);
}

#[test]
fn the_alarm_is_deleted_with_the_last_deadline() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    host.done.clear();
    step(&mut driver, &mut host, Input::Recover { connection: id(1), reconnection_token: String::new() });
    assert_eq!(host.done.last().map(String::as_str), Some("alarm never"));
}

#[test]
fn restoring_leaves_the_alarm_until_it_is_kept() {
    let (mut before, mut host) = driver(ShardConfig::only());
    connect(&mut before, &mut host, 1, Subprotocol::JsonReliable);
    let disk = Snapshot { connections: std::mem::take(&mut host.connections), ..Snapshot::default() };
    let restored = Shard::restore(host.now, ShardConfig::only(), policy(), disk, Vec::new());
    let mut driver = Driver::new(restored.shard);
    driver.perform(&mut host, restored.outputs).expect("the disk has space");
    host.check(&expect![[r#"
        store Detach
    "#]]);
    driver.keep_alarm(&mut host);
    driver.keep_alarm(&mut host);
    assert_eq!(host.done, [format!("alarm in {WINDOW:?}")]);
}

#[test]
fn an_alarm_that_outlived_the_memory_is_not_set_again() {
    for (found_in, set) in [(WINDOW, None), (Duration::from_secs(1), None), (Duration::ZERO, Some(WINDOW))] {
        let (mut before, mut host) = driver(ShardConfig::only());
        connect(&mut before, &mut host, 1, Subprotocol::JsonReliable);
        let disk = Snapshot { connections: std::mem::take(&mut host.connections), ..Snapshot::default() };
        let restored = Shard::restore(host.now, ShardConfig::only(), policy(), disk, Vec::new());
        let mut driver = Driver::new(restored.shard);
        driver.found_alarm(host.now, host.now.after(found_in));
        driver.keep_alarm(&mut host);
        let set: Vec<_> = set.map(|due: Duration| format!("alarm in {due:?}")).into_iter().collect();
        host.done.retain(|done| done.starts_with("alarm"));
        assert_eq!(host.done, set, "one in {found_in:?} was found");
    }
}

#[test]
fn the_timer_is_set_once_for_the_first_timeout() {
    let limits = Limits { messages_per_second: 1, message_burst: 1, ..Limits::DEFAULT };
    let (mut driver, mut host) = driver(ShardConfig { limits, ..ShardConfig::only() });
    connect(&mut driver, &mut host, 1, Subprotocol::Json);
    let ping = r#"{"type":"ping"}"#;
    for _ in 0..3 {
        send(&mut driver, &mut host, 0, ping);
        driver.turn(&mut host).expect("the disk has space");
    }
    host.done.retain(|done| done.starts_with("timer"));
    host.check(&expect![[r#"
        timer in 1s
    "#]]);
    host.now = host.now.after(Duration::from_secs(1));
    driver.timer_fired();
    step(&mut driver, &mut host, Input::Timeout);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        turn Soon
        send [0] pong
        timer in 1s
    "#]]);
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        timer never
        turn Soon
        send [0] pong
        forget 0
    "#]]);
}
