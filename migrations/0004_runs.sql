-- Long work: runs, the learners that they were asked for, their outcomes, and the daily schedules.

-- A run is worked in slices, each by one River job. One transaction saves the slice's cursor, its
-- counts and the records that it changed, and queues the next job.
create table runs (
    -- Ordered by time (UUIDv7).
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    upstream text not null,
    -- The upstream's environment in which the run began. Its settings may be changed meanwhile, and then the run ends.
    environment text not null,
    -- Such as `ace360.statusSync`.
    kind text not null,
    trigger text not null check (trigger in ('manual', 'schedule', 'retry')),
    state text not null
        check (state in ('queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled')),
    -- A run without parameters of its own: everyone who asks for it while it is active gets this
    -- one. A run that is not shared waits behind the others of its kind.
    shared boolean not null,
    -- Nothing is sent or changed: the outcomes say what would happen.
    validate_only boolean not null default false,
    -- How many learners the run was asked for; they are in `run_learners`. Null: it was not asked
    -- for particular learners. Erasing a learner does not change the number.
    learners integer,
    -- What else the run was asked. Its kind knows the shape. Holds no learner's id.
    params jsonb not null default '{}',
    -- How far the run has come. Its kind knows the shape. May hold learners' ids, and is emptied
    -- when the run ends.
    cursor jsonb not null default '{}',
    -- The number of the current slice.
    slice integer not null default 0,
    -- Who works the slice, and until when nobody else does. A worker that lost its slice to another
    -- one finds another fence here, and cannot commit.
    fence uuid,
    leased_until timestamptz,
    -- When a job should have continued the run. The tick queues a job for a run that is overdue.
    due_at timestamptz not null,
    -- Records in all, when it is known, and records that have an outcome.
    total integer,
    done integer not null default 0,
    succeeded integer not null default 0,
    unchanged integer not null default 0,
    failed integer not null default 0,
    skipped integer not null default 0,
    -- Upstream calls made, and expected in all, when it is known.
    calls_used integer not null default 0,
    calls_planned integer,
    -- Why the run waits or failed, in our words.
    problem text,
    cancel_requested boolean not null default false,
    -- The run whose failed records this one repeats.
    retry_of uuid,
    requested_by text not null,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz
);
-- One active shared run of each kind in each environment.
create unique index runs_one_shared on runs (provider_id, upstream, kind, environment)
    where shared and state in ('queued', 'running', 'waiting');
-- One run of each kind at work, unless it only validates.
create unique index runs_one_working on runs (provider_id, upstream, kind)
    where not validate_only and state in ('running', 'waiting');
create index runs_of_provider on runs (provider_id, id);
create index runs_due on runs (due_at) where state in ('queued', 'running', 'waiting');

-- The learners that a run was asked for. Erasing a learner deletes its rows.
create table run_learners (
    run_id uuid not null references runs on delete cascade,
    -- The learner's place in the request, from 0: the run takes them in this order. Cursors hold
    -- places, which an erased learner does not shift.
    place integer not null,
    provider_id uuid not null,
    learner_id text collate "C" not null,
    primary key (run_id, place)
);
create index run_learners_of_learner on run_learners (provider_id, learner_id);

-- The outcome of each record of a run. Records that are unchanged are only counted.
create table run_records (
    run_id uuid not null references runs on delete cascade,
    subject_kind text not null,
    subject_id text collate "C" not null,
    outcome text not null check (outcome in ('succeeded', 'unchanged', 'failed', 'skipped')),
    -- What happened, such as `uploaded` or `fieldsMissing`.
    code text,
    -- The upstream's id of the record.
    record_id bigint,
    -- Message and faults: they may repeat personal data.
    sealed_problem bytea,
    primary key (run_id, subject_kind, subject_id)
);

-- Nights on which a daily schedule began its run, by the local date: no night has two runs.
create table schedule_firings (
    provider_id uuid not null references providers on delete cascade,
    upstream text not null,
    kind text not null,
    local_date date not null,
    fired_at timestamptz not null,
    primary key (provider_id, upstream, kind, local_date)
);
