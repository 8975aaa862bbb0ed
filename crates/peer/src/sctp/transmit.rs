//! What an association sends, and what is seen of it on the way out.

use std::time::Instant;

use bytes::Bytes;
use sctp_proto::Payload;

use super::Sctp;
use crate::connection::ChannelKind;

impl Sctp {
    /// Records to send; to be asked once more, until there are none.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<Bytes>> {
        let Some(transmit) = self.next_transmit(now).or_else(|| {
            self.hasten(now)?;
            self.next_transmit(now)
        }) else {
            return self.flight.poll_transmit(now).map(|record| vec![record]);
        };
        match transmit.payload {
            Payload::RawEncode(records) => {
                records.iter().for_each(|record| self.guard.sent(record));
                self.flight.sent(&records, now);
                Some(records)
            }
            Payload::PartialDecode(_) => None,
        }
    }

    fn next_transmit(&mut self, now: Instant) -> Option<sctp_proto::Transmit> {
        let association = &mut self.association;
        self.endpoint.poll_transmit().or_else(|| association.as_mut()?.1.poll_transmit(now))
    }

    /// Has the association send more than it dares at the beginning.
    fn hasten(&mut self, now: Instant) -> Option<()> {
        let held = self.held(ChannelKind::DataTrack);
        let acknowledgement = self.flight.hasten(held, now)?;
        self.feed(acknowledgement, now);
        Some(())
    }
}
