//! The clients of one run, and the links they are behind.

use trackyard::ConnectionState;
use trackyard_bench::plan::Plan;
use trackyard_bench::report::{LinkReport, Side};

use super::Setup;
use crate::commands::bench::crowd;
use crate::commands::bench::links::SideLinks;
use crate::commands::bench::publisher::Publisher;
use crate::commands::bench::subscriber::{Offer, Subscriber};
use crate::failure::Failure;

/// The clients of one run, and the links they are behind.
pub(super) struct Cast {
    pub(super) publishers: Vec<Publisher>,
    pub(super) subscribers: Vec<Subscriber>,
    /// They end with this.
    links: Vec<SideLinks>,
}

impl Cast {
    /// Lets everybody join, publish and subscribe.
    ///
    /// # Errors
    /// When one of them does not get so far.
    pub(super) async fn gather(setup: &Setup, plan: &Plan, (run, seed): (u64, u64)) -> Result<Self, Failure> {
        let mut links = Vec::new();
        if let Some(wanted) = &setup.links {
            links.extend(wanted.start(Side::Publishers, seed).await?.map(|own| (Side::Publishers, own)));
            // Not the same seed, or both sides would lose the same datagrams.
            links.extend(wanted.start(Side::Subscribers, !seed).await?.map(|own| (Side::Subscribers, own)));
        }
        let guests = |side| {
            let own = links.iter().find(|(whose, _)| *whose == side);
            setup.guests.by_way_of(own.map(|(_, own)| own.url.clone()))
        };
        let has_link = |number| {
            let links = setup.links.as_ref();
            links.is_some_and(|links| links.text_of_subscriber(number, plan.subscribers).is_some())
        };
        if setup.shows_progress {
            say!("{}: joining, {}", super::label(setup, plan), plan.load());
        }
        let (guests, subscribers) = (guests(Side::Publishers), guests(Side::Subscribers));
        let publishers = crowd::each(plan.publishers, |number| {
            Publisher::join(guests.clone(), plan.clone(), (run, number))
        });
        let publishers = publishers.await?;
        let identities = publishers.iter().map(|publisher| publisher.room.local_participant().identity());
        let offer = Offer { plan: plan.clone(), run, publishers: identities.collect() };
        let subscribers = crowd::each(plan.subscribers, |number| {
            let guests = if has_link(number) { &subscribers } else { &setup.guests };
            Subscriber::join(guests.clone(), offer.clone(), number)
        });
        let subscribers = subscribers.await?;
        Ok(Self { publishers, subscribers, links: links.into_iter().map(|(_, own)| own).collect() })
    }

    /// Frames that counted and were received by all subscribers together.
    pub(super) fn received_count(&self) -> u64 {
        self.subscribers.iter().map(Subscriber::received_count).sum()
    }

    /// Intact frames at all subscribers together, warm-up included.
    pub(super) fn intact_count(&self) -> u64 {
        self.subscribers.iter().map(Subscriber::intact_count).sum()
    }

    /// Packets that all subscribers together have received.
    pub(super) fn packet_count(&self) -> u64 {
        self.subscribers.iter().map(Subscriber::packet_count).sum()
    }

    /// How many clients are not connected now.
    pub(super) fn lost_count(&self) -> usize {
        let publishers = self.publishers.iter().map(|publisher| &publisher.room);
        let rooms = publishers.chain(self.subscribers.iter().map(|subscriber| &subscriber.room));
        rooms.filter(|room| room.connection_state() != ConnectionState::Connected).count()
    }

    /// What links have carried so far.
    pub(super) fn link_reports(&self) -> Vec<LinkReport> {
        self.links.iter().flat_map(SideLinks::report).collect()
    }

    /// Everybody leaves.
    ///
    /// # Errors
    /// When a client has panicked.
    pub(super) async fn leave(self) -> Result<(), Failure> {
        let subscribers = self.subscribers.into_iter().map(|subscriber| subscriber.room);
        let rooms = subscribers.chain(self.publishers.into_iter().map(|publisher| publisher.room));
        let rooms: Vec<_> = rooms.map(std::sync::Arc::new).collect();
        let close = |number: u32| {
            let room = rooms.get(number as usize).cloned();
            async move {
                if let Some(room) = room {
                    room.close().await;
                }
                Ok(())
            }
        };
        crowd::each(u32::try_from(rooms.len()).unwrap_or(u32::MAX), close).await.map(|_: Vec<()>| ())
    }
}
