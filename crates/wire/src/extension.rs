//! The extension block: what follows the fixed header when its flag says so.

use crate::HEADER_BYTES;
use crate::header::{BLOCK_LENGTH_BYTES, ParseError, WORD_BYTES};
use crate::header_bytes::HeaderBytes;

/// Extension ids (protocol §5.4).
pub mod id {
    /// Fills the block up to a whole word.
    pub const PADDING: u8 = 0;
    /// Key index and IV of an encrypted frame.
    pub const ENCRYPTION: u8 = 1;
    /// The application's own timestamp.
    pub const USER_TIMESTAMP: u8 = 2;
    /// Marks a frame that its publisher had left for the case that it vanishes: ours, without contents.
    pub const LAST_WILL: u8 = 240;
    /// Marks a frame that the server has kept for those who come late: ours, without contents.
    pub const LATCHED: u8 = 241;
    /// Reserved for servers; never sent by us.
    pub const PARTICIPANT_SID: u8 = 255;
}

/// Id and length.
const TAG_BYTES: usize = 2;
/// Key index and IV.
const ENCRYPTION_BYTES: u8 = 13;
/// A number of 64 bits.
const USER_TIMESTAMP_BYTES: u8 = 8;

/// One extension as it is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'p> {
    /// See [`id`]; any other number is possible.
    pub id: u8,
    /// May be longer than this crate knows, when the sender is newer.
    pub data: &'p [u8],
}

/// Goes through an extension block; made by [`Header::extension_iter`](crate::Header::extension_iter).
#[derive(Debug, Clone)]
pub struct ExtensionIter<'p> {
    rest: &'p [u8],
}

impl<'p> ExtensionIter<'p> {
    pub(crate) fn new(block: &'p [u8]) -> Self {
        Self { rest: block }
    }

    /// The next extension, or why the rest of the block cannot be read. Padding is skipped as both
    /// official receivers skip it: the id and the byte after it, whatever that is.
    fn try_next(&mut self) -> Option<Result<Extension<'p>, ParseError>> {
        while let [id, length, tail @ ..] = self.rest {
            if *id == id::PADDING {
                self.rest = tail;
                continue;
            }
            let Some((data, rest)) = tail.split_at_checked(usize::from(*length)) else {
                self.rest = &[];
                return Some(Err(ParseError::ExtensionOverrun(*id)));
            };
            self.rest = rest;
            return Some(Ok(Extension { id: *id, data }));
        }
        None
    }
}

impl<'p> Iterator for ExtensionIter<'p> {
    type Item = Extension<'p>;

    fn next(&mut self) -> Option<Self::Item> {
        // A parsed header vouches for the block; after anything else iteration simply ends.
        self.try_next()?.ok()
    }
}

impl core::iter::FusedIterator for ExtensionIter<'_> {}

/// Bytes of the block at the start of `rest`, its length field included, once it and everything in
/// it is known to be in bounds.
pub(crate) fn validated_block_bytes(rest: &[u8]) -> Result<usize, ParseError> {
    let (words, _) = rest.split_first_chunk().ok_or(ParseError::BlockOverrun)?;
    let block_bytes = (usize::from(u16::from_be_bytes(*words)) + 1) * WORD_BYTES;
    let block = rest.get(BLOCK_LENGTH_BYTES..block_bytes).ok_or(ParseError::BlockOverrun)?;
    let mut extensions = ExtensionIter::new(block);
    while let Some(extension) = extensions.try_next() {
        extension?;
    }
    Ok(block_bytes)
}

/// What a receiver needs to decrypt a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Encryption {
    /// Which key of the ring.
    pub key_index: u8,
    /// Fresh for each frame.
    pub iv: [u8; 12],
}

/// The extensions this crate knows; the same on every packet of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Extensions {
    /// Present on encrypted frames.
    pub encryption: Option<Encryption>,
    /// By convention Unix milliseconds. 0 is sent, though one official receiver takes it for none.
    pub user_timestamp: Option<u64>,
}

impl Extensions {
    /// Exact bytes of a header that carries these: 12, 24, 32 or 40.
    #[must_use]
    pub fn header_bytes(&self) -> usize {
        HEADER_BYTES + self.block_bytes()
    }

    fn block_bytes(&self) -> usize {
        match self.unpadded_bytes() {
            0 => 0,
            bytes => (BLOCK_LENGTH_BYTES + bytes).next_multiple_of(WORD_BYTES),
        }
    }

    fn unpadded_bytes(&self) -> usize {
        let encryption = self.encryption.map_or(0, |_| TAG_BYTES + usize::from(ENCRYPTION_BYTES));
        let timestamp = self.user_timestamp.map_or(0, |_| TAG_BYTES + usize::from(USER_TIMESTAMP_BYTES));
        encryption + timestamp
    }

    /// Appends the block, if there is one: encryption, then timestamp, padding last, because one
    /// official server takes padding for the end of the block.
    pub(crate) fn write_block(&self, out: &mut HeaderBytes) {
        let block_bytes = self.block_bytes();
        let Some(words) = (block_bytes / WORD_BYTES).checked_sub(1) else { return };
        let end = out.len() + block_bytes;
        let words = u16::try_from(words).expect("a block has at most 7 words");
        out.push(&words.to_be_bytes());
        if let Some(encryption) = self.encryption {
            out.push(&[id::ENCRYPTION, ENCRYPTION_BYTES, encryption.key_index]);
            out.push(&encryption.iv);
        }
        if let Some(timestamp) = self.user_timestamp {
            out.push(&[id::USER_TIMESTAMP, USER_TIMESTAMP_BYTES]);
            out.push(&timestamp.to_be_bytes());
        }
        out.pad_to(end);
    }

    /// Takes over an extension it knows. One longer than known is read as far as known; one that is
    /// shorter is treated as unknown.
    fn read(&mut self, extension: Extension<'_>) {
        match extension.id {
            id::ENCRYPTION => {
                if let Some(([key_index, iv @ ..], _)) =
                    extension.data.split_first_chunk::<{ ENCRYPTION_BYTES as usize }>()
                {
                    self.encryption = Some(Encryption { key_index: *key_index, iv: *iv });
                }
            }
            id::USER_TIMESTAMP => {
                if let Some((bytes, _)) = extension.data.split_first_chunk() {
                    self.user_timestamp = Some(u64::from_be_bytes(*bytes));
                }
            }
            _ => {}
        }
    }
}

impl<'p> FromIterator<Extension<'p>> for Extensions {
    fn from_iter<I: IntoIterator<Item = Extension<'p>>>(extensions: I) -> Self {
        let mut known = Self::default();
        extensions.into_iter().for_each(|extension| known.read(extension));
        known
    }
}
