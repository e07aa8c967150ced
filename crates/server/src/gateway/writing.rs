//! What is being written to one connection: frames in order, and how far the first of them is out.

use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf as _, Bytes};

#[derive(Default)]
pub struct Writing(VecDeque<Bytes>);

impl Writing {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fills in what comes next, and tells how many slices that are.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = self.0.len().min(slices.len());
        for (slice, frame) in slices.iter_mut().zip(&self.0) {
            *slice = IoSlice::new(frame);
        }
        filled
    }

    /// So many bytes are out.
    pub fn advance(&mut self, mut bytes: usize) {
        while let Some(first) = self.0.front_mut() {
            if bytes < first.len() {
                first.advance(bytes);
                return;
            }
            bytes -= first.len();
            self.0.pop_front();
        }
    }
}

impl From<Vec<Bytes>> for Writing {
    /// Frames are never empty.
    fn from(frames: Vec<Bytes>) -> Self {
        Self(frames.into())
    }
}
