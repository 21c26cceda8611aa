//! Messages to members of groups.

use std::rc::Rc;

use super::traffic::{Publishers, Rate, Server, Traffic};
use crate::client::{Client, open_all};
use crate::error::LoadError;
use crate::figures::Figures;
use crate::plan::{By, Plan, Publish};
use crate::tally::Groups;

/// Publishes and measures.
pub(super) async fn run(plan: &Plan, workload: &Publish) -> Result<Figures, LoadError> {
    let groups = workload.groups.len().max(1);
    let traffic = Traffic::new((0..workload.members).map(|member| Groups::of([member % groups])).collect());
    let on = {
        let traffic = Rc::clone(&traffic);
        Rc::new(move |member, event| traffic.receive(member, event))
    };
    let members =
        open_all(plan, 0..workload.members, |member| workload.clients.get(member % groups), on).await?;
    let outsider = match &workload.outsider {
        Some(endpoint) => {
            let traffic = Rc::clone(&traffic);
            Some(Client::open(plan, endpoint, move |event| traffic.receive_answer(event)).await?)
        }
        None => None,
    };

    let pace = Rate::new(workload.rate);
    let measured = if workload.by == By::Rest {
        let targets = workload.publish.iter().enumerate().collect();
        let (at_once, size) = (workload.window, workload.size);
        let server = Server { plan, traffic: &traffic, targets, at_once, pace, size };
        traffic.measure(plan, |until| server.publish_until(until)).await?
    } else {
        let publisher = |group: usize| match workload.by {
            By::Outsider => outsider.as_ref(),
            By::Rest | By::Member => members.get(group),
        };
        let names = workload.groups.iter().enumerate();
        let clients: Option<_> =
            names.map(|(group, name)| Some((publisher(group)?, group, name.as_str()))).collect();
        let publishers = Publishers {
            plan,
            traffic: &traffic,
            clients: clients.ok_or(LoadError::Missing("publisher"))?,
            at_once: workload.window,
            acks: workload.acks,
            pace,
            size: workload.size,
        };
        traffic.measure(plan, |until| publishers.publish_until(until)).await?
    };

    let mut figures = Figures::default();
    measured.note(&mut figures, "");
    traffic.note(&mut figures);
    Ok(figures)
}
