//! Verification of a payload in chunks, as its bytes arrive.

use sha2::{Digest, Sha256};

use super::chain::{Chain, Key};
use super::streaming::Seed;
use super::trailers::Trailers;
use super::{ChecksumAlgorithm, ChunkError, MAX_CHUNK_LINE, SIGNATURE};

/// The least memory that is taken for a chunk, in bytes.
const FIRST_ROOM: usize = 64 * 1024;

/// What chunks are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest signed chunk, in bytes: what may have to be held in memory. Where chunks are
    /// not signed none is held, and their size is bound by the payload's length alone.
    pub max_chunk: usize,
    /// The smallest chunk but for the last one with data, in bytes.
    pub min_chunk: usize,
}

impl Default for Limits {
    /// 16 MiB at most; the SDKs send 64 KiB to 1 MiB. 8 KiB at least, as S3 has it: "Only the last
    /// chunk is allowed to have a size less than 8192 bytes".
    fn default() -> Self {
        Self { max_chunk: 16 * 1024 * 1024, min_chunk: 8192 }
    }
}

/// Takes a payload in chunks as its bytes arrive, and gives the payload. See the
/// [documentation of the form](super::super::chunked).
///
/// Only [`Verified::chunks`](super::super::Verified::chunks) and
/// [`Verified::chunks_v4a`](super::super::Verified::chunks_v4a) make one.
pub struct ChunkVerifier {
    state: State,
    /// `None`: chunks are not signed.
    chain: Option<Chain>,
    limits: Limits,
    has_trailers: bool,
    decoded_length: u64,
    /// How much of the payload is still to come.
    left: u64,
    /// Which chunk is being read, counted from 0.
    chunk: u64,
    /// Whether a chunk was smaller than all but the last may be.
    small: bool,
    /// The line being read.
    line: Vec<u8>,
    /// The signature that the chunk being read claims.
    signature: Vec<u8>,
    /// The chunk being read, where chunks are signed.
    held: Vec<u8>,
    sha256: Sha256,
    trailers: Trailers,
}

/// What comes next.
#[derive(Clone)]
enum State {
    /// The line before a chunk.
    Size,
    /// This many bytes of a chunk, more than none.
    Data(u64),
    /// CR LF after a chunk.
    DataEnd,
    /// CR LF after the last chunk, where no trailers follow.
    LastLine,
    /// A trailer, or the empty line after them.
    Trailer,
    /// Nothing.
    End,
    /// Nothing that could be accepted.
    Refused(ChunkError),
}

/// How far a step got.
enum Step<'i> {
    /// The input is used up.
    Starved,
    /// The chunk that is held is good.
    Held,
    /// These bytes of an unsigned chunk.
    Passed(&'i [u8]),
}

/// A payload that arrived whole, as it was announced and signed. Only [`ChunkVerifier::finish`]
/// makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    decoded_length: u64,
    trailers: Vec<(ChecksumAlgorithm, String)>,
}

impl Finished {
    /// The length of the payload, in bytes.
    pub fn decoded_length(&self) -> u64 {
        self.decoded_length
    }

    /// The payload's checksums, which were found right, in base64.
    pub fn trailers(&self) -> &[(ChecksumAlgorithm, String)] {
        &self.trailers
    }
}

impl ChunkVerifier {
    pub(in crate::sigv4) fn new(seed: &Seed, key: Key, limits: Limits) -> Self {
        let streaming = &seed.streaming;
        Self {
            state: State::Size,
            chain: seed.chain(key),
            limits,
            has_trailers: streaming.mode().has_trailers(),
            decoded_length: streaming.decoded_length(),
            left: streaming.decoded_length(),
            chunk: 0,
            small: false,
            line: Vec::new(),
            signature: Vec::new(),
            held: Vec::new(),
            sha256: Sha256::new(),
            trailers: Trailers::new(streaming.trailers()),
        }
    }

    /// Takes bytes from the front of `input`, as many as make the next piece of the payload, and
    /// returns it. `None`: `input` is used up, and more is needed. Call it until then.
    ///
    /// Where chunks are signed a piece is a chunk whose signature is good. Otherwise it is what has
    /// arrived of one, and nothing is known of it before [`Self::finish`].
    pub fn push<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<&'s [u8]>, ChunkError> {
        match self.step(input) {
            Ok(Step::Starved) => Ok(None),
            Ok(Step::Held) => Ok(Some(&self.held)),
            Ok(Step::Passed(bytes)) => Ok(Some(bytes)),
            Err(error) => {
                self.state = State::Refused(error.clone());
                self.held = Vec::new();
                Err(error)
            }
        }
    }

    /// Ends the stream: the payload is whole if this returns.
    pub fn finish(self) -> Result<Finished, ChunkError> {
        match self.state {
            State::End => Ok(Finished {
                decoded_length: self.decoded_length,
                trailers: self.trailers.into_arrived(),
            }),
            State::Refused(error) => Err(error),
            State::Size | State::Data(_) | State::DataEnd | State::LastLine | State::Trailer => {
                Err(ChunkError::CutOff)
            }
        }
    }

    /// The memory taken for the chunk being held, in bytes.
    pub fn buffered(&self) -> usize {
        self.held.capacity()
    }

    fn step<'i>(&mut self, input: &mut &'i [u8]) -> Result<Step<'i>, ChunkError> {
        loop {
            match self.state {
                State::Refused(ref error) => return Err(error.clone()),
                State::End if input.is_empty() => return Ok(Step::Starved),
                State::End => return Err(ChunkError::AfterEnd),
                State::Data(left) => {
                    if input.is_empty() {
                        return Ok(Step::Starved);
                    }
                    let taken = self.data(left, input);
                    if self.chain.is_none() {
                        return Ok(Step::Passed(taken));
                    }
                }
                State::Size | State::DataEnd | State::LastLine | State::Trailer => {
                    if !self.read_line(input)? {
                        return Ok(Step::Starved);
                    }
                    let mut line = std::mem::take(&mut self.line);
                    let done = self.line(&line);
                    line.clear();
                    self.line = line;
                    if done? {
                        return Ok(Step::Held);
                    }
                }
            }
        }
    }

    /// Acts on a line. Whether a signed chunk was completed by it.
    fn line(&mut self, line: &[u8]) -> Result<bool, ChunkError> {
        match self.state {
            State::Size => self.begin(line).map(|()| false),
            State::DataEnd => self.complete(line),
            // INVARIANT: `read_line` takes two bytes at most here, and the line is empty.
            State::LastLine => {
                self.state = State::End;
                Ok(false)
            }
            State::Trailer if line.is_empty() => {
                self.trailers.check(self.chain.is_some())?;
                self.state = State::End;
                Ok(false)
            }
            State::Trailer => self.trailers.read(line, self.chain.as_mut()).map(|()| false),
            State::Data(_) | State::End | State::Refused(_) => Err(self.malformed()),
        }
    }

    /// Takes what there is of a chunk's data.
    fn data<'i>(&mut self, left: u64, input: &mut &'i [u8]) -> &'i [u8] {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let (taken, rest) = input.split_at(most);
        *input = rest;
        // `taken` is at most `left` long.
        let left = left - taken.len() as u64;
        self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
        self.trailers.update(taken);
        if self.chain.is_some() {
            self.sha256.update(taken);
            if self.held.capacity() - self.held.len() < taken.len() {
                self.grow(left, taken.len());
            }
            self.held.extend_from_slice(taken);
        }
        taken
    }

    /// Makes room for bytes that arrived, and for some that did not: as many again as there are,
    /// and no more than the chunk has.
    fn grow(&mut self, left: u64, more: usize) {
        let needed = self.held.len() + more;
        let whole = needed.saturating_add(usize::try_from(left).unwrap_or(usize::MAX));
        let wanted = needed.saturating_mul(2).max(FIRST_ROOM).min(whole);
        self.held.reserve_exact(wanted - self.held.len());
    }

    /// Reads on to the end of a line; its CR LF is cut off. `false`: the input is used up.
    fn read_line(&mut self, input: &mut &[u8]) -> Result<bool, ChunkError> {
        let bound = match self.state {
            State::Size => MAX_CHUNK_LINE,
            State::Trailer => self.trailers.room(),
            _ => 2,
        };
        let end = input.iter().take(bound).position(|byte| *byte == b'\n');
        let taken = end.map_or(input.len().min(bound + 1), |end| end + 1);
        let (taken, rest) = input.split_at(taken);
        *input = rest;
        self.line.extend_from_slice(taken);
        if self.line.len() > bound {
            return Err(match self.state {
                State::Size => ChunkError::LineTooLong { chunk: self.chunk },
                State::Trailer => ChunkError::TrailersTooLarge,
                _ => self.malformed(),
            });
        }
        if end.is_none() {
            return Ok(false);
        }
        let Some(length) = self.line.strip_suffix(b"\r\n").map(<[u8]>::len) else {
            return Err(self.malformed());
        };
        self.line.truncate(length);
        if self.line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(self.malformed());
        }
        Ok(true)
    }

    /// Reads the line before a chunk.
    fn begin(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        let chunk = self.chunk;
        let malformed = ChunkError::Malformed { chunk };
        let (size, signature) = match (&self.chain, split(line)) {
            (Some(_), Some((size, signature))) => (size, signature),
            (None, None) => (line, [].as_slice()),
            (Some(_), None) | (None, Some(_)) => return Err(malformed),
        };
        let size = read_size(size).ok_or(malformed)?;
        let Limits { max_chunk: maximum, min_chunk: minimum } = self.limits;
        if self.chain.is_some() && usize::try_from(size).map_or(true, |size| size > maximum) {
            return Err(ChunkError::ChunkTooLarge { chunk, size, maximum });
        }
        if size == 0 {
            if self.left > 0 {
                return Err(ChunkError::DecodedLength);
            }
            self.check_signature(signature)?;
            self.state = if self.has_trailers { State::Trailer } else { State::LastLine };
            return Ok(());
        }
        if self.small {
            return Err(ChunkError::ChunkTooSmall { chunk, minimum });
        }
        self.small = size < minimum as u64;
        self.left = self.left.checked_sub(size).ok_or(ChunkError::DecodedLength)?;
        self.held.clear();
        self.signature.clear();
        self.signature.extend_from_slice(signature);
        self.state = State::Data(size);
        Ok(())
    }

    /// After a chunk's data and its CR LF. Whether the chunk is signed, and may be handed out.
    fn complete(&mut self, line: &[u8]) -> Result<bool, ChunkError> {
        if !line.is_empty() {
            return Err(self.malformed());
        }
        let signature = std::mem::take(&mut self.signature);
        self.check_signature(&signature)?;
        self.signature = signature;
        self.chunk += 1;
        self.state = State::Size;
        Ok(self.chain.is_some())
    }

    /// Checks the signature of the chunk that was hashed.
    fn check_signature(&mut self, signature: &[u8]) -> Result<(), ChunkError> {
        let Some(chain) = &mut self.chain else { return Ok(()) };
        let hash = self.sha256.finalize_reset().into();
        if chain.accepts_chunk(&hash, signature) {
            Ok(())
        } else {
            Err(ChunkError::ChunkSignature { chunk: self.chunk })
        }
    }

    fn malformed(&self) -> ChunkError {
        match self.state {
            State::Trailer => ChunkError::MalformedTrailers,
            _ => ChunkError::Malformed { chunk: self.chunk },
        }
    }
}

/// Splits the line before a signed chunk into size and signature.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|byte| *byte == b';')?;
    let (size, rest) = line.split_at(end);
    Some((size, rest.strip_prefix(SIGNATURE.as_bytes())?))
}

/// Reads a size: one to sixteen hexadecimal digits without a leading zero.
fn read_size(text: &[u8]) -> Option<u64> {
    let leads_with_zero = matches!(text, [b'0', _, ..]);
    if text.is_empty() || text.len() > 16 || leads_with_zero {
        return None;
    }
    text.iter().try_fold(0, |size: u64, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(size << 4 | u64::from(digit))
    })
}
