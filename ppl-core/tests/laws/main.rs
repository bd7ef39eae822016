//! Laws between the pieces: what two mechanisms promise together, and neither can promise alone.

mod bounds;
mod chains;
mod counts;
mod handlers;
mod keys;
mod methods;
mod missing;
mod recovery;
mod svi;
