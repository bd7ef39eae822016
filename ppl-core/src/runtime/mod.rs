//! What runs a model: sites, plates, data, handlers.
//!
//! A model is a function from a [`context`] to a value. Its words ([`words`] documents them) reach the context, which
//! names the site ([`state`]), asks the handlers around the model ([`handler`], [`handlers`]), takes a value from where the
//! algorithm gets its values ([`source`]) and hands the term of the density ([`sampling`]) to what the run collects
//! ([`terms`]). [`plates`] opens and closes dimensions. A finished run is a [`recording`].

pub mod argument;
pub mod arguments_key;
pub mod columns;
pub mod context;
pub mod data;
pub mod data_source;
pub mod diagnose;
mod guide_kl;
pub mod handler;
pub mod handlers;
pub mod lend;
mod masks;
pub mod model;
pub mod param;
#[cfg(test)]
mod parameters_law;
pub(crate) mod partial_data;
mod partly;
pub mod plate_size;
pub mod plates;
pub mod rebind;
pub mod recording;
pub mod replayable;
pub mod sampling;
pub mod site;
mod site_density;
pub mod sites;
pub mod slot_name;
pub mod source;
mod starting;
pub mod state;
pub mod stop;
pub mod terms;
pub mod words;
