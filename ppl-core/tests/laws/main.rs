//! Laws between the pieces: what two mechanisms promise together, and neither can promise alone.

mod chains;
mod counts;
mod handlers;
mod keys;
mod methods;
mod missing;
mod svi;
