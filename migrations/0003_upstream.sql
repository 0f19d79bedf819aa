-- What the upstreams share: the pace of calls, and the intents that let nothing be created twice.

-- The pace of calls to one upstream account, by GCRA (generic cell rate algorithm).
create table pace (
    -- HMAC of the upstream, its address and its token: providers with the same token share a pace.
    account bytea primary key,
    upstream text not null,
    per_minute integer not null check (per_minute >= 1),
    -- The theoretical arrival time of the next call.
    tat timestamptz not null,
    -- No calls before this time: the upstream answered 429.
    blocked_until timestamptz not null default '-infinity'
);

-- Takes up to `wanted` permits whose slots are within `horizon` from now.
--
-- `granted` is how many it took, and `first_wait` how far from now the first slot is. When none is
-- granted, `first_wait` says when to ask again. The i-th slot (from 0) is
-- max(first_wait, lead + i * step) from now.
--
-- `burst` is the tolerance of the caller's class. Bulk calls have a smaller one than interactive
-- calls, which therefore go first. Bulk calls wait longer afterwards.
--
-- A function, because the row must stay locked for as short a time as possible: every call waits
-- for it.
create function pace_take(
    in account_ bytea, in upstream_ text, in per_minute_ integer, in burst integer, in wanted integer,
    in horizon interval,
    out granted integer, out first_wait interval, out step interval, out lead interval
) language plpgsql as $$
declare
    tat_ timestamptz;
    blocked_ timestamptz;
    now_ timestamptz;
    floor_ timestamptz;
    earliest timestamptz;
begin
    step := interval '1 minute' / per_minute_;
    select tat, blocked_until into tat_, blocked_ from pace where account = account_ for update;
    if not found then
        insert into pace (account, upstream, per_minute, tat)
        values (account_, upstream_, per_minute_, app_now())
        on conflict (account) do nothing;
        select tat, blocked_until into tat_, blocked_ from pace where account = account_ for update;
    end if;
    -- Read after the lock: waiting for the lock may have taken a while.
    now_ := app_now();
    floor_ := greatest(now_, blocked_);
    tat_ := greatest(tat_, floor_);
    -- Not limited by the floor: the distance from here to now is what may go at once.
    earliest := tat_ - step * (burst - 1);
    first_wait := greatest(earliest, floor_) - now_;
    -- The i-th slot is max(floor, earliest + i * step), and must be within the horizon.
    if floor_ > now_ + horizon or earliest > now_ + horizon then
        granted := 0;
    else
        granted := least(wanted, 1 + floor(
            extract(epoch from (now_ + horizon) - earliest) / extract(epoch from step))::integer);
        update pace set tat = tat_ + step * granted, per_minute = per_minute_ where account = account_;
    end if;
    lead := earliest - now_;
end $$;

-- One creation upstream: an ACE360 record, a OneFile user, aim or visit. Written before the call,
-- settled by the call's outcome. Creations cannot be undone, and an ACE360 record costs a credit.
-- No foreign key to providers, as with records.
create table intents (
    id uuid primary key,
    provider_id uuid not null,
    upstream text not null,
    environment text not null,
    -- The record that the creation is for: a learner; for what learners share, the officer or the
    -- organisation.
    subject_kind text not null,
    subject_id text collate "C" not null,
    -- Which of the subject's creations: `apprentice`, `user`, `aim:196AS`, `visit:R-1` and so on.
    step text not null,
    -- `unknown`: the answer was lost, and the upstream may have created it.
    state text not null check (state in ('sending', 'unknown', 'done', 'rejected', 'notSent')),
    -- Only the holder of this lease sends or settles.
    lease_token uuid not null,
    lease_until timestamptz not null,
    -- Set just before the call. Null: nothing can have reached the upstream.
    sent_at timestamptz,
    -- After this time the call cannot be under way any more.
    deadline_at timestamptz,
    sends integer not null default 0,
    -- What is sent. After a lost answer, a record that is found upstream is compared with it.
    sealed_payload bytea not null,
    -- Ids of the same person's records that existed before the call: none of them is its result.
    candidates bigint[] not null default '{}',
    -- Complete searches after the deadline that did not find the record.
    absent_looks integer not null default 0,
    -- The time of the next search. Null, while the state is unknown: a person decides.
    next_look_at timestamptz,
    -- The upstream's id of what was created.
    remote_id bigint,
    -- HTTP status of the upstream's answer.
    upstream_status integer,
    -- The upstream's message and field errors: they may repeat personal data.
    sealed_problem bytea,
    run_id uuid,
    requested_by text not null,
    created_at timestamptz not null,
    settled_at timestamptz
);
-- The heart of "never twice": one open creation for each subject and step. This index also finds
-- overdue intents: few are open, and an index of their own made each upload slower.
create unique index intents_one_open
    on intents (provider_id, upstream, subject_kind, subject_id, step)
    where state in ('sending', 'unknown');
create index intents_of_subject
    on intents (provider_id, upstream, subject_kind, subject_id, created_at desc);
