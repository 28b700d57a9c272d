//! Golden numbers of the models, named by their source.

mod bg_nbd;
mod cdnow;
mod pareto_nbd;
