//! Events, tasks, contacts and notes as items of the one store.
