-- What both upstreams share: the pace of calls, and the intents that make sure nothing is created twice.

-- GCRA, one row an upstream account. `account` is an HMAC of the upstream and its token, so that two
-- providers with one token share a pace. `tat` is the theoretical arrival time of the next call.
create table pace (
    account bytea primary key,
    upstream text not null,
    per_minute integer not null check (per_minute >= 1),
    tat timestamptz not null,
    blocked_until timestamptz not null default '-infinity'
);

-- One creation that is to happen upstream. Written before the call, settled by its outcome.
create table intents (
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    upstream text not null,
    environment text not null,
    subject_kind text not null,
    subject_id text not null,
    step text not null,
    state text not null check (state in ('sending', 'unknown', 'done', 'rejected', 'notSent')),
    -- Only who holds this token may send or settle while the lease runs.
    lease_token uuid not null,
    lease_until timestamptz not null,
    -- Set just before the socket: null means that nothing can have reached the upstream.
    sent_at timestamptz,
    -- After this the call itself cannot be under way any more.
    deadline_at timestamptz,
    sends integer not null default 0,
    -- What is sent, sealed: it is what an upload's answer is checked against after a lost answer.
    sealed_payload bytea not null,
    -- Records of the same person that were there before the send, so that none of them is taken for ours.
    candidates bigint[] not null default '{}',
    -- Complete looks at the upstream, made after the deadline, that did not find the record.
    absent_looks integer not null default 0,
    first_absent_at timestamptz,
    next_look_at timestamptz,
    remote_id bigint,
    upstream_status integer,
    -- The upstream's own words and field errors, sealed: they may repeat personal data.
    sealed_problem bytea,
    run_id uuid,
    requested_by text not null,
    created_at timestamptz not null,
    settled_at timestamptz
);
-- The heart of "never twice": one creation under way for each subject and step.
create unique index intents_one_open on intents (provider_id, upstream, subject_kind, subject_id, step)
    where state in ('sending', 'unknown');
create index intents_due on intents (lease_until) where state = 'sending';
create index intents_to_look on intents (next_look_at) where state = 'unknown';
create index intents_of_subject on intents (provider_id, upstream, subject_kind, subject_id, created_at desc);

-- Takes up to `wanted` permits whose slots come within `horizon`; answers how many were granted and how long
-- from now the first slot is (for none granted: when to ask again). The i-th slot is i intervals after the
-- first, but never before now. `burst` is the tolerance of the class: bulk calls have less of it than
-- interactive ones, which therefore go first; bulk pays the debt afterwards.
create function pace_take(
    in account_ bytea, in upstream_ text, in per_minute_ integer, in burst integer, in wanted integer, in horizon interval,
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
        insert into pace (account, upstream, per_minute, tat) values (account_, upstream_, per_minute_, app_now())
            on conflict (account) do nothing;
        select tat, blocked_until into tat_, blocked_ from pace where account = account_ for update;
    end if;
    -- Read after the lock: waiting for it may have taken a while.
    now_ := app_now();
    floor_ := greatest(now_, blocked_);
    tat_ := greatest(tat_, floor_);
    -- Without the floor: how far the row is behind its tolerance is what may go at once.
    earliest := tat_ - step * (burst - 1);
    first_wait := greatest(earliest, floor_) - now_;
    -- The i-th slot, from 0, is max(floor, earliest + i * step) and must be within the horizon.
    if floor_ > now_ + horizon or earliest > now_ + horizon then
        granted := 0;
    else
        granted := least(wanted, 1 + floor(extract(epoch from (now_ + horizon) - earliest) / extract(epoch from step))::integer);
        update pace set tat = tat_ + step * granted, per_minute = per_minute_ where account = account_;
    end if;
    -- How far `earliest` lies from now: the i-th slot waits max(first_wait, lead + i * step).
    lead := earliest - now_;
end $$;
