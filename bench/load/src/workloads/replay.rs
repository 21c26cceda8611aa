//! Reliable clients that are away while a server publishes, and are sent everything when they come back.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::{AFTERWARDS, Cost, Meter, PATIENCE};
use crate::client::{Client, Opened};
use crate::dialect::{self, Incoming};
use crate::error::LoadError;
use crate::figures::{Figures, real};
use crate::plan::{Plan, Replay};
use crate::rest::Rest;
use crate::tally::{Groups, Tally};

/// How many requests the server has open at once.
const AT_ONCE: usize = 8;
/// How often the end is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Has clients miss messages, and measures their return.
pub(super) async fn run(plan: &Plan, workload: &Replay) -> Result<Figures, LoadError> {
    let connect = async |_: usize| {
        let away = Opened::new(&plan.address, plan.dialect, &workload.client).await?;
        away.recovery.ok_or(LoadError::Missing("reliable client"))
    };
    let recoveries = try_join_all((0..workload.clients).map(connect)).await?;
    let tally = RefCell::new(Tally::new(vec![Groups::of([0]); workload.clients]));
    let publish_some = async |_: usize| {
        let mut rest = Rest::open(&plan.address).await?;
        while tally.borrow().published() < workload.messages {
            let number = tally.borrow_mut().publish(0, 0);
            rest.publish(&workload.publish, dialect::body(number, workload.size)).await?;
        }
        Ok::<(), LoadError>(())
    };
    try_join_all((0..AT_ONCE).map(publish_some)).await?;

    let expected = tally.borrow().lost();
    let tally = Rc::new(tally);
    let closed: Rc<RefCell<Option<String>>> = Rc::default();
    let meter = Meter::start(plan);
    let come_back = async |(client, (id, token)): (usize, &(String, String))| {
        let (tally, closed) = (Rc::clone(&tally), Rc::clone(&closed));
        let on = move |event| match event {
            Ok(Incoming::Message { number, .. }) => drop(tally.borrow_mut().receive(client, number)),
            Ok(_) => {}
            Err(reason) => drop(closed.replace(Some(reason))),
        };
        let path =
            format!("{}&awps_connection_id={id}&awps_reconnection_token={token}", workload.client.path);
        Client::come_back(plan, &path, on).await
    };
    let _clients = try_join_all(recoveries.iter().enumerate().map(come_back)).await?;
    let deadline = Instant::now() + PATIENCE;
    while tally.borrow().delivered() < expected && closed.borrow().is_none() && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
    }
    let Cost { elapsed, cpu } = meter.stop();
    if let Some(reason) = closed.take() {
        return Err(LoadError::Closed(reason));
    }
    sleep(AFTERWARDS).await;

    let mut figures = Figures::default();
    figures.rate("deliveries_per_second", expected, elapsed);
    figures.cpu("cpu_us_per_delivery", cpu, expected);
    figures.set("took_ms", elapsed.as_secs_f64() * 1e3);
    figures.set("lost", real(tally.borrow().lost()));
    figures.set("doubled", real(tally.borrow().doubled()));
    Ok(figures)
}
