//! Places values and adjoints in their regions.

use crate::tape::call::{Loc, Region};
use crate::tape::op::Role;
use crate::tape::records::Records;

/// Where the buffers of each root lie, and how long the regions are.
pub struct Layout {
    /// The value of each node.
    pub value: Vec<Loc>,
    /// The adjoint of each node.
    pub adjoint: Vec<Loc>,
    /// The own buffer of each node, in the work region.
    pub aux: Vec<u32>,
    /// Roots in the constant region, with their place.
    pub constants: Vec<(u32, u32)>,
    /// The place and length of each rebound slot in the data region.
    pub slots: Vec<Option<(u32, u32)>>,
    /// The lengths of the constant, data, work and adjoint regions.
    pub len: Lengths,
}

/// The lengths of the regions that the program or its workspace owns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lengths {
    /// Of the constants.
    pub constant: usize,
    /// Of the rebound data.
    pub data: usize,
    /// Of the values.
    pub work: usize,
    /// Of the adjoints.
    pub adjoint: usize,
}

/// Buffers start at multiples of this many elements, so that vector loads do not straddle cache lines.
const ALIGN: usize = 16;

fn place(region: Region, len: &mut usize, n: u32) -> Loc {
    let offset = u32::try_from(*len).expect("a program works on more than 2³² elements: use minibatches");
    *len += (n as usize).next_multiple_of(ALIGN);
    Loc { region, offset }
}

impl Layout {
    fn empty(n_nodes: usize, n_slots: usize) -> Self {
        let nowhere = Loc {
            region: Region::Work,
            offset: 0,
        };
        Layout {
            value: vec![nowhere; n_nodes],
            adjoint: vec![nowhere; n_nodes],
            aux: vec![0; n_nodes],
            constants: Vec::new(),
            slots: vec![None; n_slots],
            len: Lengths::default(),
        }
    }
}

/// Places everything that is live; an alias shares the buffers of its root, and an adjoint is that of its owner.
pub fn layout(records: &Records, live: &[bool], constant: &[bool], reached: &[bool], owner: &[u32]) -> Layout {
    let n = records.nodes.len();
    let mut out = Layout::empty(n, records.slots.len());
    let mut root_is_live = vec![false; n];
    for (i, node) in records.nodes.iter().enumerate() {
        root_is_live[node.root as usize] |= live[i];
    }
    for (i, node) in records.nodes.iter().enumerate() {
        let root = node.root as usize;
        if root != i {
            out.value[i] = out.value[root];
            continue;
        }
        let is_input = matches!(node.def.role, Role::Input | Role::DiscreteInput);
        if is_input {
            let offset = records.attrs(i as u32)[0] as u32;
            out.value[i] = Loc {
                region: Region::Theta,
                offset,
            };
            out.adjoint[i] = Loc {
                region: Region::Gradient,
                offset,
            };
            continue;
        }
        if !root_is_live[i] {
            continue;
        }
        out.value[i] = if constant[i] {
            let loc = place(Region::Constant, &mut out.len.constant, node.len);
            out.constants.push((i as u32, loc.offset));
            loc
        } else if node.def.role == Role::Data {
            let loc = place(Region::Data, &mut out.len.data, node.len);
            out.slots[records.attrs(i as u32)[0] as usize] = Some((loc.offset, node.len));
            loc
        } else {
            place(Region::Work, &mut out.len.work, node.len)
        };
        if !constant[i] {
            out.aux[i] = place(Region::Work, &mut out.len.work, node.aux.1).offset;
        }
        if reached[i] && owner[i] == i as u32 {
            out.adjoint[i] = place(Region::Adjoint, &mut out.len.adjoint, node.len);
        }
    }
    for (i, node) in records.nodes.iter().enumerate() {
        out.adjoint[i] = out.adjoint[owner[node.root as usize] as usize];
    }
    out
}
