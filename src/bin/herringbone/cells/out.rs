//! Where the text of a cell goes.

/// From how many bytes of text on it is handed on, also in the middle of a value: a few bytes of a file can make a value of very many.
pub const PIECE: usize = 64 << 10;

/// Takes text that has grown out of the buffer; whether there may be more.
type Drain<'a> = &'a mut dyn FnMut(&mut Vec<u8>) -> bool;

/// A buffer of text that is emptied between the parts of nested values.
pub struct Out<'a> {
    pub text: &'a mut Vec<u8>,
    drain: Drain<'a>,
    most: usize,
    ended: bool,
}

impl<'a> Out<'a> {
    /// Hands text on when it is longer than [`PIECE`].
    pub fn new(text: &'a mut Vec<u8>, drain: Drain<'a>) -> Self {
        Self::within(text, PIECE, drain)
    }

    /// Hands text on when it is longer than `most`.
    pub fn within(text: &'a mut Vec<u8>, most: usize, drain: Drain<'a>) -> Self {
        Self { text, drain, most, ended: false }
    }

    /// Hands on what has grown large enough; whether there may be more. After a `false` what is written is of no use any more.
    pub fn go_on(&mut self) -> bool {
        if !self.ended && self.text.len() > self.most {
            self.ended = !(self.drain)(self.text);
        }
        !self.ended
    }
}
