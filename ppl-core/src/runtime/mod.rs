//! What runs a model: sites, plates, data, handlers.

pub mod argument;
pub mod context;
pub mod data;
pub mod model;
pub mod plate_size;
pub mod site;
pub mod sites;
pub mod stop;
pub mod words;
