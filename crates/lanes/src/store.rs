//! The frames and packets that wait, of all lanes of one outbox.

use bytes::Bytes;

use crate::frame::Frame;
use crate::slab::{Key, Slab};

/// What a packet's bookkeeping is charged at, so that tiny packets are bounded too.
pub(crate) const PACKET_CHARGE: usize = 128;

#[derive(Debug)]
struct Node {
    bytes: Bytes,
    next: Key,
}

/// Lists of frames, each with its list of packets, in slots that lanes share.
#[derive(Debug)]
pub(crate) struct Store {
    frames: Slab<Frame>,
    packets: Slab<Node>,
    waiting_bytes: usize,
    /// Of those, bytes in lanes that are held.
    held_bytes: usize,
}

/// The frames of one lane, oldest first.
#[derive(Debug)]
pub(crate) struct FrameList {
    pub(crate) oldest: Key,
    pub(crate) newest: Key,
    /// Frames in it.
    pub(crate) frames: u32,
    /// Packets that wait in them.
    pub(crate) packets: u32,
    /// Bytes that wait in them.
    pub(crate) bytes: u32,
    /// Nothing of them is sent yet: the receiver does not know the lane's handle.
    pub(crate) held: bool,
}

impl FrameList {
    pub(crate) const fn new() -> Self {
        Self { oldest: Key::NONE, newest: Key::NONE, frames: 0, packets: 0, bytes: 0, held: false }
    }

    /// Bytes that wait, bookkeeping included.
    pub(crate) fn charge(&self) -> usize {
        self.bytes as usize + self.packets as usize * PACKET_CHARGE
    }
}

impl Store {
    pub(crate) fn new() -> Self {
        Self { frames: Slab::new(), packets: Slab::new(), waiting_bytes: 0, held_bytes: 0 }
    }

    /// Frames that wait or are under way.
    pub(crate) fn frame_count(&self) -> usize {
        self.frames.len()
    }

    /// Bytes that wait for room, and not for their lane to be released.
    pub(crate) fn bytes_waiting_for_room(&self) -> usize {
        self.waiting_bytes - self.held_bytes
    }

    /// Holds a lane's frames, or lets them go.
    pub(crate) fn set_held(&mut self, list: &mut FrameList, held: bool) {
        match (std::mem::replace(&mut list.held, held), held) {
            (false, true) => self.held_bytes += list.bytes as usize,
            (true, false) => self.held_bytes -= list.bytes as usize,
            _ => {}
        }
    }

    /// Bytes that wait, bookkeeping included.
    pub(crate) fn charge(&self) -> usize {
        self.waiting_bytes + self.packets.len() * PACKET_CHARGE
    }

    pub(crate) fn frame(&self, key: Key) -> Option<&Frame> {
        self.frames.get(key)
    }

    pub(crate) fn frame_mut(&mut self, key: Key) -> Option<&mut Frame> {
        self.frames.get_mut(key)
    }

    /// Puts a frame behind all others of a lane.
    pub(crate) fn push_frame(&mut self, list: &mut FrameList, mut frame: Frame) -> Key {
        let older = list.newest;
        frame.older = older;
        // One whose first packet was held came before an older one whose first packet was late; ages
        // fall from the oldest frame to the newest, so that only the oldest have to be looked at.
        if let Some(neighbour) = self.frames.get(older) {
            frame.arrived = frame.arrived.max(neighbour.arrived);
        }
        let key = self.frames.insert(frame);
        match self.frames.get_mut(older) {
            Some(neighbour) => neighbour.newer = key,
            None => list.oldest = key,
        }
        list.newest = key;
        list.frames += 1;
        key
    }

    /// Puts a packet behind all others of a frame; answers its length.
    pub(crate) fn push_packet(&mut self, list: &mut FrameList, key: Key, bytes: Bytes) -> u32 {
        let length = length(&bytes);
        let Some(frame) = self.frames.get_mut(key) else { return 0 };
        let node = self.packets.insert(Node { bytes, next: Key::NONE });
        match self.packets.get_mut(frame.last_packet) {
            Some(before) => before.next = node,
            None => frame.first_packet = node,
        }
        frame.last_packet = node;
        frame.packets_in += 1;
        frame.waiting_bytes += length;
        list.packets += 1;
        list.bytes += length;
        self.waiting_bytes += length as usize;
        if list.held {
            self.held_bytes += length as usize;
        }
        length
    }

    /// The packet of a frame that goes next.
    pub(crate) fn first_packet(&self, key: Key) -> Option<&Bytes> {
        let frame = self.frames.get(key)?;
        Some(&self.packets.get(frame.first_packet)?.bytes)
    }

    /// Takes the packet of a frame that goes next.
    pub(crate) fn pop_packet(&mut self, list: &mut FrameList, key: Key) -> Option<Bytes> {
        let frame = self.frames.get_mut(key)?;
        let Node { bytes, next } = self.packets.remove(frame.first_packet)?;
        frame.first_packet = next;
        if next.is_none() {
            frame.last_packet = Key::NONE;
        }
        frame.waiting_bytes -= length(&bytes);
        list.packets -= 1;
        list.bytes -= length(&bytes);
        self.waiting_bytes -= bytes.len();
        if list.held {
            self.held_bytes -= bytes.len();
        }
        Some(bytes)
    }

    /// Takes a frame out of its lane, with the packets that still wait.
    pub(crate) fn remove_frame(&mut self, list: &mut FrameList, key: Key) -> Option<Frame> {
        while self.pop_packet(list, key).is_some() {}
        let frame = self.frames.remove(key)?;
        match self.frames.get_mut(frame.older) {
            Some(older) => older.newer = frame.newer,
            None => list.oldest = frame.newer,
        }
        match self.frames.get_mut(frame.newer) {
            Some(newer) => newer.older = frame.older,
            None => list.newest = frame.older,
        }
        list.frames -= 1;
        Some(frame)
    }
}

/// Packets are bounded far below 4 GiB before they come here.
fn length(bytes: &Bytes) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
