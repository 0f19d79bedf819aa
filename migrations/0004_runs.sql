-- Long work. A run is worked a slice at a time by a River job; the slice's cursor, counts, changed rows and
-- the next job are one transaction, fenced by `slice`.
create table runs (
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    upstream text not null,
    kind text not null,
    trigger text not null check (trigger in ('manual', 'schedule', 'retry')),
    state text not null check (state in ('queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled')),
    -- A run without parameters is shared by all who ask for it; one with its own learners queues behind.
    shared boolean not null,
    validate_only boolean not null default false,
    params jsonb not null default '{}',
    cursor jsonb not null default '{}',
    slice integer not null default 0,
    -- Who works the slice now, and until when nobody else may: a rescued slice whose elder still lives finds
    -- another fence here and cannot commit.
    fence uuid,
    leased_until timestamptz,
    -- When a job should have moved the run on; the tick gives one to a run that is overdue.
    due_at timestamptz not null,
    total integer,
    done integer not null default 0,
    succeeded integer not null default 0,
    unchanged integer not null default 0,
    failed integer not null default 0,
    skipped integer not null default 0,
    calls_used integer not null default 0,
    calls_planned integer,
    problem text,
    cancel_requested boolean not null default false,
    retry_of uuid,
    requested_by text not null,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz
);
create unique index runs_one_shared on runs (provider_id, upstream, kind)
    where shared and state in ('queued', 'running', 'waiting');
create unique index runs_one_working on runs (provider_id, upstream, kind)
    where not validate_only and state in ('running', 'waiting');
create index runs_of_provider on runs (provider_id, id);
create index runs_due on runs (due_at) where state in ('queued', 'running', 'waiting');

-- What happened to each record, for every outcome but `unchanged`, which is only counted.
create table run_records (
    run_id uuid not null references runs on delete cascade,
    subject_kind text not null,
    subject_id text not null,
    outcome text not null check (outcome in ('succeeded', 'unchanged', 'failed', 'skipped')),
    code text,
    sealed_problem bytea,
    primary key (run_id, subject_kind, subject_id)
);

-- Everything that changed, in the transaction that changed it. Rows commit out of the order of their ids, so
-- a leader gives committed rows their position afterwards; readers go by position.
create table changes (
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    position bigint,
    type text not null,
    subject_kind text not null,
    subject_id text not null,
    at timestamptz not null,
    sealed_data bytea not null
);
create unique index changes_feed on changes (provider_id, position);
create index changes_unplaced on changes (id) where position is null;
create index changes_of_subject on changes (provider_id, subject_kind, subject_id);
create sequence changes_position;

-- A daily schedule that fired: unique by its local date, so that no night is doubled.
create table schedule_firings (
    provider_id uuid not null references providers on delete cascade,
    upstream text not null,
    kind text not null,
    local_date date not null,
    fired_at timestamptz not null,
    run_id uuid,
    primary key (provider_id, upstream, kind, local_date)
);
