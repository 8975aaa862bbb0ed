//! Messages of a reliable, ordered channel on their way into it.
//!
//! Messages of one flow come out in the order in which they went in, flows take turns by bytes (deficit
//! round robin), and what is urgent comes before all of them. What was written is kept until the channel
//! has let go of it, so that another channel can take its place and nothing is lost.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Instant;

/// What a flow may write before the next one's turn; two of the chunks that streams consist of.
const QUANTUM_BYTES: usize = 32 * 1024;
/// A receiver holds back no more behind a gap, and a channel holds no more: twice a mebibyte.
const KEPT_BYTES_MAX: usize = 2 << 20;
/// The room for messages that is kept of a flow that has ended, for the next one.
const SPARE_MESSAGES_MAX: usize = 16;
/// What a message costs beside its bytes.
const MESSAGE_CHARGE: usize = 64;

/// Messages that wait for a reliable, ordered channel, and those that it has not let go of.
///
/// ```
/// use trackyard_lanes::Backlog;
/// # let now = std::time::Instant::now();
/// let mut backlog = Backlog::new(1 << 20);
/// backlog.push("bulk", vec![0; 15_000], 15_000, now)?;
/// backlog.push_urgent("rpc", vec![1; 10], 10, now)?;
/// assert_eq!(backlog.peek().map(|(_, message)| message.len()), Some(10));
/// # Ok::<(), trackyard_lanes::BacklogFull>(())
/// ```
#[derive(Debug)]
pub struct Backlog<F, M> {
    bytes_max: usize,
    /// Of what waits, with a charge for each message.
    bytes: usize,
    /// Written to a channel that is gone; before all else, in their order.
    again: VecDeque<Waiting<F, M>>,
    urgent: VecDeque<Waiting<F, M>>,
    flows: HashMap<F, Flow<F, M>>,
    /// Of a flow that has ended; most begin and end with one message.
    spare: VecDeque<Waiting<F, M>>,
    /// Flows with messages; the first one's turn it is.
    turns: VecDeque<F>,
    /// Flows wait, all but this one.
    held: Option<F>,
    written: VecDeque<Waiting<F, M>>,
    written_bytes: usize,
}

/// There is no room for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {bytes_max} bytes wait for the channel")]
pub struct BacklogFull {
    /// What may wait.
    pub bytes_max: usize,
}

#[derive(Debug)]
struct Flow<F, M> {
    messages: VecDeque<Waiting<F, M>>,
    bytes: usize,
    deficit: usize,
}

#[derive(Debug)]
struct Waiting<F, M> {
    flow: F,
    message: M,
    bytes: usize,
    since: Instant,
}

/// Where the next message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Again,
    Urgent,
    Turn,
}

impl<F: Copy + Eq + Hash, M> Backlog<F, M> {
    /// Takes what waits up to so many bytes, with a charge for each message.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            again: VecDeque::new(),
            urgent: VecDeque::new(),
            flows: HashMap::new(),
            spare: VecDeque::new(),
            turns: VecDeque::new(),
            held: None,
            written: VecDeque::new(),
            written_bytes: 0,
        }
    }

    /// Adds a message to a flow.
    ///
    /// # Errors
    /// [`BacklogFull`] if too much waits.
    pub fn push(&mut self, flow: F, message: M, bytes: usize, now: Instant) -> Result<(), BacklogFull> {
        self.charge(bytes)?;
        let waiting = Waiting { flow, message, bytes, since: now };
        let (turns, spare) = (&mut self.turns, &mut self.spare);
        let entry = self.flows.entry(flow).or_insert_with(|| {
            turns.push_back(flow);
            Flow { messages: std::mem::take(spare), bytes: 0, deficit: QUANTUM_BYTES }
        });
        entry.bytes += bytes;
        entry.messages.push_back(waiting);
        Ok(())
    }

    /// Adds a message that comes before all flows, its own included.
    ///
    /// # Errors
    /// [`BacklogFull`] if too much waits.
    pub fn push_urgent(
        &mut self,
        flow: F,
        message: M,
        bytes: usize,
        now: Instant,
    ) -> Result<(), BacklogFull> {
        self.charge(bytes)?;
        self.urgent.push_back(Waiting { flow, message, bytes, since: now });
        Ok(())
    }

    /// The next message; the same one until it was [`written`](Self::written) or something urgent has come.
    pub fn peek(&mut self) -> Option<(F, &mut M)> {
        let waiting = match self.choose()? {
            Next::Again => self.again.front_mut(),
            Next::Urgent => self.urgent.front_mut(),
            Next::Turn => self.flows.get_mut(self.turns.front()?)?.messages.front_mut(),
        }?;
        Some((waiting.flow, &mut waiting.message))
    }

    /// The channel has taken the next message, which counted so many bytes there.
    pub fn written(&mut self, bytes: usize) {
        let Some(mut waiting) = self.take_next() else { return };
        self.bytes -= waiting.bytes + MESSAGE_CHARGE;
        waiting.bytes = bytes;
        self.written_bytes += bytes;
        self.written.push_back(waiting);
    }

    /// The channel holds so many bytes. What it let go of behind a gap may not have been delivered yet: certain is what was
    /// written before an empty channel, or before more than any receiver holds back.
    pub fn released(&mut self, buffered: usize) {
        let kept_max = if buffered == 0 { 0 } else { KEPT_BYTES_MAX };
        while let Some(oldest) = self.written.front()
            && (kept_max == 0 || self.written_bytes > kept_max)
        {
            self.written_bytes -= oldest.bytes;
            self.written.pop_front();
        }
    }

    /// Another channel has taken this one's place: what it had not let go of is to be written again.
    pub fn replaced(&mut self) {
        self.written_bytes = 0;
        while let Some(waiting) = self.written.pop_back() {
            self.bytes += waiting.bytes + MESSAGE_CHARGE;
            self.again.push_front(waiting);
        }
    }

    /// Keeps what waits, and what may have to be written again, only if that says so.
    pub fn retain(&mut self, mut keep: impl FnMut(F, &M) -> bool) {
        let bytes = &mut self.bytes;
        let mut stays = |waiting: &Waiting<F, M>| {
            let stays = keep(waiting.flow, &waiting.message);
            if !stays {
                *bytes -= waiting.bytes + MESSAGE_CHARGE;
            }
            stays
        };
        self.again.retain(&mut stays);
        self.urgent.retain(&mut stays);
        for flow in self.flows.values_mut() {
            flow.messages.retain(&mut stays);
            flow.bytes = flow.messages.iter().map(|waiting| waiting.bytes).sum();
        }
        self.flows.retain(|_, flow| !flow.messages.is_empty());
        self.written.retain(|waiting| keep(waiting.flow, &waiting.message));
        self.written_bytes = self.written.iter().map(|waiting| waiting.bytes).sum();
        self.turns.retain(|flow| self.flows.contains_key(flow));
    }

    /// Holds back all flows but this one, until [`release`](Self::release). What is urgent passes.
    pub fn hold_all_but(&mut self, flow: F) {
        self.held = Some(flow);
    }

    /// Flows go on.
    pub fn release(&mut self) {
        self.held = None;
    }

    /// Bytes of a flow that wait in their turn.
    #[must_use]
    pub fn flow_bytes(&self, flow: F) -> usize {
        self.flows.get(&flow).map_or(0, |flow| flow.bytes)
    }

    /// Bytes that wait, with a charge for each message.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Nothing waits, held or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.again.is_empty() && self.urgent.is_empty() && self.turns.is_empty()
    }

    /// Nothing waits, and the channel has let go of everything.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_empty() && self.written.is_empty()
    }

    /// How many messages wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.again.len()
            + self.urgent.len()
            + self.flows.values().map(|flow| flow.messages.len()).sum::<usize>()
    }

    /// Since when the message waits that has waited longest.
    #[must_use]
    pub fn oldest(&self) -> Option<Instant> {
        let flows = self.flows.values().filter_map(|flow| flow.messages.front());
        let ahead = [self.again.front(), self.urgent.front()].into_iter().flatten();
        flows.chain(ahead).map(|waiting| waiting.since).min()
    }

    fn charge(&mut self, bytes: usize) -> Result<(), BacklogFull> {
        let charged = self.bytes + bytes + MESSAGE_CHARGE;
        if charged > self.bytes_max {
            return Err(BacklogFull { bytes_max: self.bytes_max });
        }
        self.bytes = charged;
        Ok(())
    }

    /// Passes the turn on until it is one's who may write.
    fn choose(&mut self) -> Option<Next> {
        if !self.again.is_empty() {
            return Some(Next::Again);
        }
        if !self.urgent.is_empty() {
            return Some(Next::Urgent);
        }
        if !self.any_may_go() {
            return None;
        }
        loop {
            let turn = *self.turns.front()?;
            if self.is_held(turn) {
                self.turns.rotate_left(1);
                continue;
            }
            let flow = self.flows.get_mut(&turn)?;
            let needed = flow.messages.front()?.bytes;
            if flow.deficit >= needed {
                return Some(Next::Turn);
            }
            flow.deficit += QUANTUM_BYTES;
            self.turns.rotate_left(1);
        }
    }

    fn is_held(&self, flow: F) -> bool {
        self.held.is_some_and(|free| free != flow)
    }

    /// Whether any flow may have its turn.
    fn any_may_go(&self) -> bool {
        self.held.is_none_or(|free| self.flows.contains_key(&free))
    }

    fn take_next(&mut self) -> Option<Waiting<F, M>> {
        match self.choose()? {
            Next::Again => self.again.pop_front(),
            Next::Urgent => self.urgent.pop_front(),
            Next::Turn => self.take_turn(),
        }
    }

    /// A flow that has nothing more to say keeps nothing for later, but what the next one can use.
    fn take_turn(&mut self) -> Option<Waiting<F, M>> {
        let turn = *self.turns.front()?;
        let flow = self.flows.get_mut(&turn)?;
        let waiting = flow.messages.pop_front()?;
        flow.deficit = flow.deficit.saturating_sub(waiting.bytes);
        flow.bytes -= waiting.bytes;
        if flow.messages.is_empty() {
            let messages = std::mem::take(&mut flow.messages);
            if messages.capacity() <= SPARE_MESSAGES_MAX {
                self.spare = messages;
            }
            self.flows.remove(&turn);
            self.turns.pop_front();
        }
        Some(waiting)
    }
}

#[cfg(test)]
mod tests;
