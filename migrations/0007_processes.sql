-- The record upstream that a run's record is about.
alter table run_records add column record_id bigint;

-- The processes that serve or work, each with the ids of the master keys that it holds: what is sealed anew must not be
-- sealed with a key that one of them lacks. Each says that it lives; one that has been silent for minutes does not count.
create table processes (
    id uuid primary key,
    works boolean not null,
    key_ids text[] not null,
    started_at timestamptz not null,
    seen_at timestamptz not null
);
