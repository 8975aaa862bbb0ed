//! The association over a connection whose handshake is done: records in, records out.

use bytes::Bytes;

use super::{Route, Str0m};
use crate::connection::{ConnectionEvent, ConnectionOutput, Datagram, Transmit};

impl Str0m {
    /// The handshake is done: the side that has begun it begins the association too.
    pub(super) fn begin(&mut self) {
        if !std::mem::replace(&mut self.connected, true) && self.tap.is_active() {
            self.sctp.connect();
        }
        self.stirred = true;
    }

    /// A datagram of DTLS has come.
    pub(super) fn receive_record(&mut self, datagram: Datagram<'_>) {
        let Datagram { transport, source, destination, contents } = datagram;
        // What DTLS itself answers, which is a repeated handshake, goes to who has asked.
        let back = Route { transport, source: destination, destination: source };
        let outputs = &mut self.outputs;
        if !self.tap.receive(contents, |packet| outputs.push_back(back.transmit(packet))) {
            self.malformed += 1;
        }
        self.take_records();
        if self.tap.has_ended() {
            self.end();
        }
    }

    /// Hands decrypted records to the association.
    pub(super) fn take_records(&mut self) {
        while let Some(record) = self.tap.pop_record() {
            self.sctp.handle_record(record, self.now);
            self.stirred = true;
        }
    }

    /// Takes what the association has to say and to send.
    pub(super) fn exchange(&mut self) {
        while !self.ended {
            while let Some(event) = self.sctp.poll_event() {
                match event {
                    ConnectionEvent::Closed => return self.end(),
                    event => self.push(event),
                }
            }
            let Some(records) = self.sctp.poll_transmit(self.now) else { return };
            self.send(&records);
        }
    }

    /// We leave: the association and DTLS say so.
    pub(super) fn say_goodbye(&mut self) {
        self.sctp.shut_down();
        self.exchange();
        self.closing = true;
        if !self.connected || self.ended {
            return self.end();
        }
        self.tap.close();
        match self.route {
            Some(route) => {
                let outputs = &mut self.outputs;
                self.tap.drain(|packet| outputs.push_back(route.transmit(packet)));
            }
            None => {
                self.tell_time();
                self.pump();
            }
        }
        self.end();
    }

    /// Sends records; those that DTLS does not take are repeated or given up by the association.
    fn send(&mut self, mut records: &[Bytes]) {
        while self.route.is_none() {
            let Some((first, rest)) = records.split_first() else { return };
            self.send_through_str0m(first);
            records = rest;
            if self.ended {
                return;
            }
        }
        let (outputs, Some(route)) = (&mut self.outputs, self.route) else { return };
        self.tap.encrypt(records, |packet| outputs.push_back(route.transmit(packet)));
    }

    /// str0m alone knows the path that ICE has chosen; where it sends one record, the others follow.
    fn send_through_str0m(&mut self, record: &[u8]) {
        self.tap.encrypt_for_str0m(record);
        self.tell_time();
        self.pump();
    }
}

impl Route {
    fn transmit(self, contents: &[u8]) -> ConnectionOutput {
        let Self { transport, source, destination } = self;
        ConnectionOutput::Transmit(Transmit { transport, source, destination, contents: contents.to_vec() })
    }
}
