//! Models as they run: arguments, sites, words and the context that gives the words their meaning.

pub mod argument;
pub mod context;
pub mod data;
pub mod model;
//! What runs a model: sites, plates, data, handlers.

pub mod argument;
pub mod data;
pub mod plate_size;
pub mod site;
pub mod sites;
pub mod stop;
pub mod words;
