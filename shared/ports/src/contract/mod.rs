//! The rules of the ports as tests, for every adapter. `penfold_ports::contract_suite!(fixture)` makes one test of each;
//! `fixture` is an `async fn() -> (World, Keep)`: a fresh world, and whatever must live as long as it.
//! `Web` stands alone, and so do its rules: [`web`].
//!
//! Time is tokio's, paused: no test waits for real. No case leaves a timer running while it waits for a write, because the
//! clock would run ahead of an adapter that has threads of its own.

pub mod blobs;
pub mod chains;
pub mod conditions;
pub mod cost;
pub mod dead_letters;
pub mod limits;
pub mod paging;
pub mod queue;
pub mod races;
pub mod rows;
pub mod secrets;
pub mod wake;
pub mod web;

use crate::{Account, Commit, Job, JobId, Key, Name, PortError, QueueName, Received, Rights, Row, Scope, Sk, TenantScope, World, Write};
use penfold_types::{AcceptanceId, CommitId, Env, PrincipalId, TenantId};
use std::time::Duration;

/// Longer than any worker in these tests takes.
const HIDDEN: Duration = Duration::from_secs(60);

/// A new tenant with one account, so that cases can share a store.
struct Given {
    world: World,
    scope: Scope,
}

impl Given {
    fn new(world: World) -> Self {
        let account = Account { tenant: TenantId::new(&world.env), principal: PrincipalId::new(&world.env) };
        let scope = Scope::grant(account, account.principal, Rights::ALL);
        Self { world, scope }
    }

    fn env(&self) -> &Env {
        &self.world.env
    }

    fn key(&self, sk: &str) -> Key {
        self.scope.key(Sk::text(sk))
    }

    fn tenant(&self) -> TenantScope {
        TenantScope::grant(self.scope.tenant())
    }

    fn acceptance(&self) -> AcceptanceId {
        AcceptanceId::new(self.env())
    }

    fn commit_of(&self, writes: Vec<Write>) -> Commit {
        Commit { id: CommitId::new(self.env()), writes }
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), PortError> {
        self.world.table.commit(&self.commit_of(writes)).await
    }

    async fn get(&self, sk: &str) -> Option<Row> {
        self.world.table.get(&self.key(sk)).await.expect("reads go on")
    }

    /// Makes a row that holds a number.
    async fn have(&self, sk: &str, number: u64) {
        self.world.table.put(Write::put(self.key(sk), numbered(number))).await.expect("a put");
    }

    async fn number(&self, sk: &str) -> Option<u64> {
        self.get(sk).await.and_then(|row| row.u64(N))
    }

    fn job(&self, group: &str, body: &str) -> Job {
        let group = format!("{}#{group}", self.scope.tenant());
        Job { id: JobId::new(self.env()), tenant: self.scope.tenant(), group, body: body.to_owned().into() }
    }

    async fn send(&self, jobs: Vec<Job>) {
        self.world.queue.send(QueueName::Deliver, jobs).await.expect("a send");
    }

    async fn receive(&self, max: usize) -> Vec<Received> {
        self.world.queue.receive(QueueName::Deliver, max, HIDDEN).await.expect("jobs")
    }

    /// What a worker gets that waits for a second.
    async fn receive_or_nothing(&self, max: usize) -> Vec<Received> {
        let receive = self.world.queue.receive(QueueName::Deliver, max, HIDDEN);
        tokio::time::timeout(Duration::from_secs(1), receive).await.map_or_else(|_| Vec::new(), |jobs| jobs.expect("jobs"))
    }

    async fn done(&self, jobs: &[Received]) {
        let receipts: Vec<_> = jobs.iter().map(|job| job.receipt).collect();
        self.world.queue.done(QueueName::Deliver, &receipts).await.expect("done");
    }
}

const N: Name = Name::new("n");

fn numbered(number: u64) -> Row {
    Row::new().with(N, number)
}

/// A row of about so many bytes.
fn sized(bytes: usize) -> Row {
    Row::new().with("b", vec![7; bytes])
}

fn bodies(jobs: &[Received]) -> Vec<&str> {
    jobs.iter().map(|received| std::str::from_utf8(&received.job.body).unwrap_or("?")).collect()
}

/// Makes one test of every rule. See [`crate::contract`].
#[macro_export]
macro_rules! contract_suite {
    ($fixture:path) => {
        $crate::contract_cases! { $fixture;
            rows: [absent_rows, put_replaces, delete_removes, update_sets_and_removes, update_makes_a_row, batch_get_keeps_order,
                partitions_are_apart, any_bytes_survive]
            conditions: [always, absent, present, equal, first_failure_is_named, failed_commit_writes_nothing, check_writes_nothing,
                put_has_conditions_too]
            chains: [builds_on_itself, stops_at_the_first_failure, token_twice_is_once, token_of_a_failed_commit_is_free]
            paging: [order_is_by_bytes, bounds, limit_and_more, reverse, pages_of_one_megabyte, no_row_falls_between_two_pages, a_page_has_one_row_at_least, inverted_range_is_empty]
            limits: [row_size, attributes_are_not_called_as_the_key_is, update_cannot_outgrow_a_row, writes_of_a_commit, bytes_of_a_commit, same_row_twice, keys_of_a_batch, odd_keys]
            races: [one_winner, counters_lose_nothing, readers_see_whole_commits, chains_race]
            cost: [sizes, reads, queries, writes, failed_conditions, checks_and_deletes, repeats, blobs_and_queue]
            blobs: [durable_with_the_commit, durable_with_the_send, ranges, missing, parts_are_joined, large_ones, delete_twice, list_in_order,
                list_goes_on, empty_ones]
            queue: [order_in_a_group, one_batch_out_of_a_group, groups_go_on, tenants_in_turn, receive_waits, ten_at_most, hidden_then_again,
                late_receipts, extend_keeps_hidden, done_lets_the_next_out, same_id_is_one_job, ids_are_known_to_their_queue, limits_of_a_send, backlog_and_oldest,
                cancelled_receive_loses_nothing, many_workers_share, a_hung_worker_does_not_keep_its_job]
            dead_letters: [give_back_counts, three_times_and_out, parked_jobs_wait_in_order, release_starts_afresh, release_of_a_good_group]
            wake: [only_watchers, newest_only, cancel_safe, all_watchers, dropped_watch]
            secrets: [round_trip, not_for_another_tenant, damaged, destroyed_for_good, destroyed_before_it_was_made, first_wraps_race,
                destroy_beats_a_wrap, a_new_life_opens_nothing_of_the_old]
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    ($fixture:path; $($module:ident: [$($case:ident),* $(,)?])*) => {
        $(mod $module {
            use super::*;
            $(#[tokio::test(start_paused = true)]
            async fn $case() {
                let (world, _keep) = $fixture().await;
                $crate::contract::$module::$case(world).await;
            })*
        })*
    };
}
