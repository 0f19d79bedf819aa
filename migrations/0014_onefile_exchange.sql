-- What an exchange run has still to do: a row a learner, so that a run that is killed anywhere goes on where it was. A row goes
-- away in the transaction that tells the learner's outcome.
create table onefile_exchange_work (
    run_id uuid not null references runs on delete cascade,
    learner_id text collate "C" not null,
    user_id text collate "C" not null,
    centre_id text not null,
    -- What OneFile's searches said: the user is there, is in the archive, was changed; these learning aims were changed.
    seen boolean not null default false,
    archived boolean not null default false,
    changed boolean not null default false,
    aims text[] not null default '{}',
    -- Why the learner is exchanged, in which turn, and at how many calls; no reason: not decided yet.
    reason text,
    turn smallint not null default 0,
    calls integer not null default 0,
    primary key (run_id, learner_id)
);
create index onefile_exchange_work_users on onefile_exchange_work (run_id, user_id);
create index onefile_exchange_work_turns on onefile_exchange_work (run_id, turn, learner_id) where reason is not null;

alter table onefile_links
    -- Who exchanges the learner just now, and until when nobody else does.
    add column exchanging uuid,
    add column exchanging_until timestamptz,
    -- When the details of the officer or organisation were compared last.
    add column exchanged_at timestamptz;

alter table onefile_settings
    -- When the last exchange over all learners that ended had begun, and with which OneFile: what changed since is looked for.
    add column exchange_began timestamptz,
    add column exchange_environment text;
